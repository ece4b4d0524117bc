// What a run tells of its iterates: bounds of the program's optimum, and a line of the history.
#pragma once

#include <cstddef>

#include "base/run_control.hpp"

namespace secondorder::convex_relu {

/// Sums over samples, in the units of the program.
struct Bounds {
  double objective = 0;      ///< of V: an upper bound of the optimum where V is feasible
  double dual = 0;           ///< a lower bound of the optimum
  double infeasibility = 0;  ///< ‖relu(rᵀ|V| − E∘XV)‖/‖XV‖; r is 0 without an adversary
};

/// One line of the history; seconds since the start.
struct Progress {
  double iteration = 0, objective = 0, dual_bound = 0, gap = 0, infeasibility = 0, rho = 0,
         seconds = 0;
};

/// The line for an iterate, means over samples. Throws ERR_NUMERICAL where the bounds aren't
/// finite.
Progress make_progress(const Bounds& bounds, double total_weight, std::size_t iteration, double rho,
                       const RunControl& control);

void report(const Progress& progress, const RunControl& control);

}  // namespace secondorder::convex_relu
