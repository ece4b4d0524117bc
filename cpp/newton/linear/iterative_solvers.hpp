// Every solver of KKT systems that isn't a factorization, by its public name.
#pragma once

#include <cstdint>
#include <memory>

#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"
#include "newton/linear_solver.hpp"

namespace secondorder::newton {

/// Null for a kind that factors K, and for 'sketch-preconditioner', which needs the data behind a
/// Hessian: problems that have it make that solver themselves (Problem::own_kkt_solver).
std::unique_ptr<KktSolver> make_iterative_solver(LinearSolver kind, const KktSolverOptions& options,
                                                 ThreadPool& pool, std::uint64_t seed);

}  // namespace secondorder::newton
