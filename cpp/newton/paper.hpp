// AdaSketch-Newton: Hong, Na, Mahoney, Kolar, "Constrained optimization via exact augmented
// Lagrangian and randomized iterative sketching" (ICML 2023, arXiv 2305.18379), Algorithm 1.
#pragma once

#include <span>

#include "newton/run.hpp"

namespace secondorder::newton {

/// Moves `state` until the Euclidean norm of (∇L, c) is within the tolerance. Dense: for problems
/// of up to some thousand variables. Ends with `singular` where σ²_min(J) < 1e-2, as the authors'
/// experiments do.
End minimize_by_paper(Run& run, State& state, std::span<const double> lambda0);

}  // namespace secondorder::newton
