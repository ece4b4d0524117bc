// Newton steps on tall data without forming the Hessian: for B = S·R, a CountSketch of the data,
//
//   P = [ BᵀB + (shift + δ_w)·I   Jᵀ ;  J   −δ_c·I ]
//
// is factored, and K is solved by conjugate gradients that P preconditions: after one step the
// residual of the constraints vanishes, and stays so, which leaves a positive definite system on
// the null space of J (Gould, Hribar, Nocedal 2001). B has a few rows for each column of R, far
// fewer than there are samples.
#pragma once

#include <cstdint>
#include <memory>

#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"
#include "newton/linear/tall_hessian.hpp"
#include "newton/linear_solver.hpp"

namespace secondorder::newton {

/// 'sketch-preconditioner', for a problem that owns `data`. options.sketch_size is the number of
/// rows of B, 4·n by default; at most 300 steps by default. prepare() tells the inertia of P where
/// it is not (n, m, 0), and with it most likely that of K; else none, for K's need not be the same:
/// solve() stops, not `reached`, at negative curvature.
std::unique_ptr<KktSolver> make_sketch_preconditioner(const KktSolverOptions& options,
                                                      ThreadPool& pool, std::uint64_t seed,
                                                      TallHessian& data);

}  // namespace secondorder::newton
