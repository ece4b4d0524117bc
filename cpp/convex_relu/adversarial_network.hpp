// What adversarial training does with the network of the convex program: the descent on its own
// adversarial loss, and what is measured of the network returned.
#pragma once

#include "convex_relu/program.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// `data` and `targets` are those of the rows that take part.
struct RobustTraining {
  const Request& request;
  const DataView& data;
  const Targets& targets;
  const RunControl& control;
  HostAlgebra& host;
};

/// Replaces the network by the descent's where that is better; new neurons are in groups from
/// `first_group` on. Rounded to Real, as users get it. Throws Cancelled as the host does, and the
/// network is then as it was.
template <class Real>
void descend(const RobustTraining& training, std::size_t first_group, NetworkModel& model,
             RobustReport& report);

/// Shares of the training samples, where the targets are classes.
void measure(const RobustTraining& training, const NetworkModel& model, RobustReport& report);

}  // namespace secondorder::convex_relu
