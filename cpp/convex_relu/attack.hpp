// Attacks on trained networks: inputs moved within a box around each sample, so that the network
// does worse. FGSM takes one step along the sign of the gradient (Goodfellow, Shlens, Szegedy,
// arXiv 1412.6572); PGD many smaller ones, kept within the box, from several starts (Madry et al.,
// arXiv 1706.06083).
#pragma once

#include <cstdint>
#include <vector>

#include "convex_relu/box_attack.hpp"

namespace secondorder::convex_relu {

enum class AttackMethod { fgsm, pgd };
/// In what `epsilon` is measured: raw inputs, or inputs as preprocessing scales them.
enum class AttackUnits { input, solver };
struct AttackOptions {
  AttackMethod method = AttackMethod::pgd;
  AttackUnits units = AttackUnits::solver;
  AttackGoal goal = AttackGoal::margin;
  double epsilon = 0;
  std::size_t steps = 20;
  std::size_t restarts = 5;
  double step_size = 0;  ///< in the units of epsilon; 0: 2.5·epsilon/steps
  std::uint64_t seed = 0;
};

/// What is added to the rows of s-space, n × d: within ±radius (d), in s. The first of PGD's starts
/// is the sample itself, the others are uniform in the box; the best point met is returned.
std::vector<double> attack_shifts(const NetworkModel& model, const DataView& data,
                                  const std::vector<double>& y, const AttackOptions& options,
                                  HostAlgebra& host);

/// The raw inputs moved, n × d: rounded to float where `single` is set, and such that no entry's
/// difference to its sample, computed in that precision or in float64, exceeds its radius.
std::vector<double> attack(const NetworkModel& model, const DataView& data,
                           const std::vector<double>& y, const AttackOptions& options, bool single,
                           HostAlgebra& host);

}  // namespace secondorder::convex_relu
