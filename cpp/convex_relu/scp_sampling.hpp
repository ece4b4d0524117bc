// How many hidden vectors the sampled convex program needs (arXiv 2201.01965, the theorem on ψ and
// ξ). Its dual has one number for each sample and output, and one more for its value: `decisions` =
// n·c + 1. By the scenario approach (Calafiore and Campi, Math. Program. 102, 2005; IEEE TAC 51,
// 2006), with probability at least 1 − ξ over N independently drawn hidden vectors, a further one
// violates the dual solution's constraints with probability at most ψ wherever
//
//   N ≥ min{ decisions/(ψξ) − 1,  (2/ψ)·(decisions − log ξ) }.
#pragma once

#include <cstddef>

namespace secondorder::convex_relu {

/// The smallest such N, as a whole number that may be beyond any integer type; 0 < ψ, ξ < 1.
double scp_sample_count(double decisions, double psi, double xi);

/// The smallest ψ that N hidden vectors assure by the same formula; 1 or more: none.
double scp_violation(double decisions, double count, double xi);

/// The greatest p at which `found` or fewer of `tested` draws, each with probability p, still
/// happen with a probability of ξ: the upper confidence limit of Clopper and Pearson (Biometrika
/// 26, 1934).
double violation_limit(std::size_t found, std::size_t tested, double xi);

}  // namespace secondorder::convex_relu
