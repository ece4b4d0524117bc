// min f(x) subject to c(x) = 0.
#pragma once

#include <span>

#include "base/run_control.hpp"
#include "newton/options.hpp"
#include "newton/problem.hpp"
#include "newton/result.hpp"

namespace secondorder::newton {

/// Starts at x0 (n finite values), with the multipliers lambda0 (m) or, where these are left out,
/// the least-squares ones (preset 'paper': 0).
///
/// Every stop gives the best iterate found, with its errors evaluated anew: `converged` is said
/// only where these agree. An evaluation that throws ends the run with status evaluation_error and
/// the exception in `failure`. Throws Error(invalid_argument) for structures out of range, sizes
/// that don't fit and x0 that isn't finite.
///
/// The control is looked at before every evaluation of a step and within iterative linear solvers;
/// one evaluation and one factorization can't be interrupted.
Result minimize(Problem& problem, std::span<const double> x0, std::span<const double> lambda0,
                const Options& options, const RunControl& control);

}  // namespace secondorder::newton
