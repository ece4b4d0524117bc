// How many samples a classifier gets right as they are, under attack, and provably wherever they
// are moved within their boxes.
#pragma once

#include "convex_relu/attack.hpp"

namespace secondorder::convex_relu {

struct Robustness {
  double accuracy = 0;   ///< share of samples of positive margin
  double attacked = 0;   ///< after the attack; at most `accuracy`
  double certified = 0;  ///< by certified bounds, at most `attacked`; NaN for gated models
};

/// y (n × outputs) holds ±1 for one output, otherwise the class's entry is the row's largest; the
/// attack's goal is the margin. In solver units there may be no components.
Robustness measure_robustness(const NetworkModel& model, const DataView& data,
                              const std::vector<double>& y, const AttackOptions& options,
                              HostAlgebra& host);

}  // namespace secondorder::convex_relu
