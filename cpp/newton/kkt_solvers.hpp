// Which linear solver 'auto' and 'ldl' stand for, and how each is made.
#pragma once

#include <cstdint>
#include <memory>

#include "newton/kkt_system.hpp"
#include "newton/linear_solver.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

struct KktSolverRequest {
  LinearSolver solver = LinearSolver::automatic;
  double tolerance = 1e-6;  ///< that the solutions are to serve
  KktSolverOptions options = {};
  std::uint64_t seed = 0;
};

/// What is asked for, for systems with the patterns of `system`, whose values aren't read. Throws
/// Error(invalid_argument), naming linearSolver, for 'sketch-preconditioner', which is made by
/// problems that have the data to sketch, and for 'ldl' where the Hessian has no entries.
std::unique_ptr<KktSolver> make_kkt_solver(const KktSolverRequest& request, const KktSystem& system,
                                           ThreadPool& pool);

/// Whether 'auto' deflates dense systems of this order, for solutions to this tolerance.
bool deflates(std::size_t order, double tolerance);

/// Dense or sparse factors, whichever take less time for the pattern of `system`, by a symbolic
/// factorization of it.
std::unique_ptr<KktSolver> make_factorization(const KktSystem& system);

}  // namespace secondorder::newton
