// Iterative refinement: the residual of a factored system is solved for again.
#pragma once

#include <cmath>
#include <span>

#include "newton/kkt_system.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

/// Improves x by corrections that `apply` (residual in, correction out) makes of b − Kx, until the
/// relative residual is at most `accuracy` or no longer falls; x keeps the best. `system`
/// multiplies with K. `residual` is workspace of the system's order.
template <class System, class Apply>
SolveOutcome refine(System& system, std::span<const double> b, double accuracy,
                    std::size_t most_steps, const Apply& apply, Vector& residual,
                    std::span<double> x) {
  const double size = norm2(b);
  if (size == 0) {
    std::fill(x.begin(), x.end(), 0.0);
    return {.reached = true};
  }
  const auto measure = [&] {
    residual.resize(b.size());
    system.multiply(x, residual);
    for (std::size_t i = 0; i < b.size(); ++i) residual[i] = b[i] - residual[i];
    return norm2(residual) / size;
  };
  SolveOutcome outcome{.residual = measure()};
  Vector best;
  while (outcome.residual > accuracy && outcome.steps < most_steps) {
    best.assign(x.begin(), x.end());
    apply(residual);
    add(1, residual, x);
    ++outcome.steps;
    const double now = measure();
    const bool better = now < outcome.residual;  // false for NaN
    const bool slow = !(now < 0.5 * outcome.residual);
    if (better) {
      outcome.residual = now;
    } else {
      std::copy(best.begin(), best.end(), x.begin());
    }
    if (slow) break;
  }
  outcome.reached = outcome.residual <= accuracy;
  return outcome;
}

}  // namespace secondorder::newton
