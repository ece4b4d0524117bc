// MINRES on KKT systems: plain, with a problem's own preconditioner, or with the outlying
// eigenvalues of K deflated.
#pragma once

#include <cstdint>
#include <memory>

#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"
#include "newton/linear/dense_kkt_form.hpp"
#include "newton/linear/preconditioner.hpp"
#include "newton/linear_solver.hpp"

namespace secondorder::newton {

/// 'minres'. `preconditioner` may be null; where it tells the inertia, so does prepare().
/// By default at most 4·d + 100 steps, and no more than 20,000. Products are done by `on_gpu` where
/// that is given, by the CPU in whichever form is quicker otherwise.
std::unique_ptr<KktSolver> make_minres(const KktSolverOptions& options, ThreadPool& pool,
                                       std::unique_ptr<KktPreconditioner> preconditioner = nullptr,
                                       std::unique_ptr<DenseProducts> on_gpu = nullptr);

/// 'nystrom-minres'. options.sketch_size bounds the rank of the deflation, d/8 by default; fewer
/// directions are taken where the spectrum shows that fewer do. At most d/20 + 50 steps by default:
/// by then LDLᵀ is cheaper.
std::unique_ptr<KktSolver> make_nystrom_minres(const KktSolverOptions& options, ThreadPool& pool,
                                               std::uint64_t seed,
                                               std::unique_ptr<DenseProducts> on_gpu = nullptr);

/// Eigenvalues that it deflates at most.
std::size_t most_deflated(std::size_t order, const KktSolverOptions& options);

}  // namespace secondorder::newton
