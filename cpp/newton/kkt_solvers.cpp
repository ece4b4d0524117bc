// Which linear solver 'auto' and 'ldl' stand for, and how each is made.
#include <memory>
#include <string>

#include "base/error.hpp"
#include "newton/kkt_system.hpp"
#include "newton/linear/dense_ldl.hpp"
#include "newton/linear/iterative_solvers.hpp"
#include "newton/linear/sparse_ldl.hpp"

namespace secondorder::newton {

namespace {

/// Up to this order the dense factorization wins whatever the pattern.
constexpr std::size_t always_dense = 200;
/// The share of the lower triangle of K that is filled, above which dense factors are cheaper.
constexpr double dense_share = 0.15;

/// Dense systems that need few digits are cheaper to deflate than to factor from this order on, by
/// measure_kkt() on spectra with outliers: 1.0 of LDLᵀ's time at order 1000, 0.8 at 1500, 0.7 at
/// 3000 on one thread, and less on more. Without outliers they are cheaper by far, from 500 on.
constexpr std::size_t deflation_order = 1500;
constexpr double deflation_tolerance = 1e-3;

bool sparse(const KktShape& shape) {
  const auto order = static_cast<double>(shape.variables + shape.constraints);
  const auto entries = static_cast<double>(shape.hessian_entries + shape.jacobian_entries);
  return order > always_dense && entries < dense_share * 0.5 * order * order;
}

}  // namespace

LinearSolver choose_linear_solver(LinearSolver asked, const KktShape& shape) {
  if (asked != LinearSolver::automatic && asked != LinearSolver::ldl) return asked;
  if (asked == LinearSolver::automatic && shape.products_only) return LinearSolver::minres;
  if (sparse(shape)) return LinearSolver::sparse_ldl;
  const bool deflate = asked == LinearSolver::automatic &&
                       shape.variables + shape.constraints >= deflation_order &&
                       shape.tolerance >= deflation_tolerance;
  return deflate ? LinearSolver::nystrom_minres : LinearSolver::dense_ldl;
}

std::unique_ptr<KktSolver> make_kkt_solver(LinearSolver kind, const KktSolverOptions& options,
                                           ThreadPool& pool, std::uint64_t seed) {
  switch (kind) {
    case LinearSolver::dense_ldl:
      return std::make_unique<DenseLdl>();
    case LinearSolver::sparse_ldl:
      return std::make_unique<SparseLdl>();
    case LinearSolver::sketch_preconditioner:
      throw Error(
          ErrorCode::invalid_argument,
          "linearSolver 'sketch-preconditioner' is for problems made of tall data that were "
          "told to sketch them",
          "linearSolver");
    default:
      break;
  }
  if (auto solver = make_iterative_solver(kind, options, pool, seed)) return solver;
  throw Error(ErrorCode::internal, std::string("no linear solver '") + name(kind) + "'");
}

}  // namespace secondorder::newton
