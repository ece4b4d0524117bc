// Descent on a ReLU network's own adversarial loss,
//
//   J = (1/Σw) Σ w·max over |Δ| ≤ r of ℓ(ŷ(x + Δ), y) + ½β(‖hidden‖² + ‖output‖²),
//
// its maxima approached by projected gradient steps (Madry et al., arXiv 1706.06083) from where the
// last iteration left them; the gradient is that at the maximum (Danskin). Neurons may leave the
// patterns that the convex program held them in.
#pragma once

#include "base/run_control.hpp"
#include "convex_relu/attack.hpp"
#include "convex_relu/options.hpp"

namespace secondorder::convex_relu {

struct DescentOptions {
  Loss loss = Loss::hinge;
  double beta = 1e-3;
  double epsilon = 0;
  std::size_t width = 0;         ///< small random neurons are added up to this many
  std::int32_t first_group = 0;  ///< their penalty groups are from here on: of no gate
  std::size_t iterations = 200;
  std::uint64_t seed = 0;
};

struct Descent {
  NetworkModel model;
  double before = 0, after = 0;  ///< J under a stronger attack, of the start and of `model`
  std::size_t iterations = 0;
};

/// The best network met, judged by a stronger attack now and then: the start where none is better.
/// y (n) and weights (n, or empty) are those of the rows of `data`. Ends at the control's time
/// limit, and throws Cancelled as the host does.
Descent descend_adversarially(const NetworkModel& start, const DataView& data,
                              const std::vector<double>& y, const std::vector<double>& weights,
                              const DescentOptions& options, const RunControl& control,
                              HostAlgebra& host);

/// J of a network of one output, its maxima found by `attack`.
double attacked_objective(const NetworkModel& model, const DataView& data,
                          const std::vector<double>& y, const std::vector<double>& weights,
                          Loss loss, double beta, const AttackOptions& attack, HostAlgebra& host);

/// What an attack on a loss lowers.
AttackGoal goal_of(Loss loss);

}  // namespace secondorder::convex_relu
