#include "newton/kkt_solvers.hpp"

#include <string>

#include "base/error.hpp"
#include "base/memory_facts.hpp"
#include "newton/linear/dense_ldl.hpp"
#include "newton/linear/iterative_solvers.hpp"
#include "newton/linear/sparse_ldl.hpp"

namespace secondorder::newton {

namespace {

// Where the crossovers come from: measure_kkt() (`measureKkt` in JavaScript), on one thread of a
// processor with AVX-512. Repeat them by its solvers 'dense-ldl' and 'sparse-ldl' with rowEntries
// of order/100, order/30 and order/10, and by 'ldl', 'nystrom-minres' and 'minres' without.

/// Up to this order dense factors take 0.2 ms, and pivot.
constexpr std::size_t always_dense = 200;
/// Above this share of the lower triangle of K the symbolic factorization isn't worth its time.
constexpr double surely_dense = 0.25;
/// Dense operations in the time of a sparse one: 9 at order 400, 11 at 800, 13 at 1600, 17 at 3000,
/// whatever the fill.
constexpr double sparse_slowness = 12;

/// Dense systems that need few digits are deflated from this order on. To 1e-2, deflated MINRES
/// takes 1.4 times the time of factors at order 500, 0.85 at 1000, 0.65 at 2000 and 0.4 at 3000 for
/// spectrum 'outlying', and 2.0, 1.6, 1.1 and 1.0 for 'decaying': from here on it gains much or
/// loses little where the spectrum has a structure (plain MINRES takes 1.4, 3.5, 3.6 and 3.2, and 4
/// to 6).
constexpr std::size_t deflation_order = 2000;
constexpr double deflation_tolerance = 1e-3;

struct Factorization {
  std::unique_ptr<KktSolver> solver;
  bool dense;
};

Factorization choose_factorization(const KktSystem& system) {
  if (system.hessian == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "factors need the entries of the Hessian, not products alone", "linearSolver");
  }
  const auto order = static_cast<double>(system.order());
  const auto entries = static_cast<double>(system.hessian->entries() + system.jacobian->entries());
  const bool fits = order * order * sizeof(double) <= static_cast<double>(available_memory());
  if (system.order() <= always_dense || (fits && entries > surely_dense * 0.5 * order * order)) {
    return {std::make_unique<DenseLdl>(), true};
  }
  auto sparse = std::make_unique<SparseLdl>();
  const double operations = sparse->analyse(system);
  if (fits && operations * sparse_slowness > order * order * order / 3) {
    return {std::make_unique<DenseLdl>(), true};
  }
  return {std::move(sparse), false};
}

}  // namespace

bool deflates(std::size_t order, double tolerance) {
  return order >= deflation_order && tolerance >= deflation_tolerance;
}

std::unique_ptr<KktSolver> make_factorization(const KktSystem& system) {
  return choose_factorization(system).solver;
}

std::unique_ptr<KktSolver> make_kkt_solver(const KktSolverRequest& request, const KktSystem& system,
                                           ThreadPool& pool) {
  LinearSolver kind = request.solver;
  if (kind == LinearSolver::automatic && system.hessian == nullptr) kind = LinearSolver::minres;
  switch (kind) {
    case LinearSolver::automatic: {
      Factorization chosen = choose_factorization(system);
      const bool deflate = chosen.dense && deflates(system.order(), request.tolerance);
      if (!deflate) return std::move(chosen.solver);
      kind = LinearSolver::nystrom_minres;
      break;
    }
    case LinearSolver::ldl:
      return make_factorization(system);
    case LinearSolver::dense_ldl:
      return std::make_unique<DenseLdl>();
    case LinearSolver::sparse_ldl:
      return std::make_unique<SparseLdl>();
    case LinearSolver::sketch_preconditioner:
      throw Error(ErrorCode::invalid_argument,
                  "linearSolver 'sketch-preconditioner' sketches the data that a Hessian is made "
                  "of: it is for problems that have such data, as constrained logistic regression "
                  "does; for others take 'auto', 'ldl', 'minres' or 'nystrom-minres'",
                  "linearSolver");
    default:
      break;
  }
  return make_iterative_solver(kind, request.options, pool, request.seed);
}

}  // namespace secondorder::newton
