// When and how a run changes its penalty ρ. A larger ρ speeds feasibility, a smaller one the gap.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// ρ of gated models and τ may change at iterations 2, 4, 8, … up to this one.
inline constexpr std::size_t last_group_balance = 64;

/// Factors nearer to 1 gain less than a new factorization costs.
inline bool worth_changing(double factor) { return factor < 0.7 || factor > 1.4; }

/// k is first·2ʲ.
inline bool doubles_of(std::size_t first, std::size_t k) {
  return k % first == 0 && ((k / first) & (k / first - 1)) == 0;
}

/// ρ of programs with cones may change at iterations 10, 20, 40, … 640, and 960, 1920, … between
/// the later ones. The spacing must grow: ADMM converges between changes, not through them.
inline bool cone_balance_due(std::size_t k) { return doubles_of(10, k) || doubles_of(960, k); }

/// Keeps the infeasibility at a share of the gap that costs the fewest iterations to both (found
/// over eight data sets and three losses; residual balancing took twice as many).
class ConeBalance {
 public:
  /// The factor for ρ, within [1/3, 2], from the latest check: raising it too far costs more.
  double factor(const Progress& now) {
    const double gap = now.objective > 0 ? (now.objective - now.dual_bound) / now.objective : 0;
    // A network better than the bound has left its cones: then it is the gap that tells how far.
    const double primal = std::max(now.infeasibility, -share * gap);
    double factor = std::clamp(std::sqrt(primal / (share * std::max(gap, 1e-12))), 1.0 / 3, 2.0);
    const double error = std::max(now.gap, now.infeasibility);
    // Twice as many iterations as ever before that didn't gain as much as they should: the last
    // decrease went too far, unless a vanishing infeasibility says that ρ is still too large.
    const bool stalled = last_factor_ < 1 && error > stall * last_error_ &&
                         now.infeasibility > 0.03 * share * now.gap;
    if (now.iteration >= 160 && last_error_ > 0 && stalled) factor = 1 / std::sqrt(last_factor_);
    last_factor_ = factor;
    last_error_ = error;
    return factor;
  }

 private:
  static constexpr double share = 0.1;
  static constexpr double stall = 0.3;
  double last_factor_ = 1, last_error_ = 0;
};

}  // namespace secondorder::convex_relu
