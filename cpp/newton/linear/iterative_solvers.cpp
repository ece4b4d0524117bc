#include "newton/linear/iterative_solvers.hpp"

#include <utility>

#include "newton/linear/minres_solvers.hpp"
#include "newton/linear/projection.hpp"
#include "newton/linear/sketch_and_project.hpp"

namespace secondorder::newton {

std::unique_ptr<KktSolver> make_iterative_solver(LinearSolver kind, const KktSolverOptions& options,
                                                 ThreadPool& pool, std::uint64_t seed) {
  const auto projecting = [&](std::unique_ptr<Projection> projection) {
    return make_sketch_and_project(name(kind), std::move(projection), options.max_steps, pool);
  };
  switch (kind) {
    case LinearSolver::minres:
      return make_minres(options, pool);
    case LinearSolver::nystrom_minres:
      return make_nystrom_minres(options, pool, seed);
    case LinearSolver::kaczmarz:
      return projecting(make_row_projection(pool, seed));
    case LinearSolver::block_kaczmarz:
      return projecting(make_paved_projection(options.sketch_size, pool, seed));
    case LinearSolver::gaussian:
      return projecting(make_gaussian_projection(options.sketch_size, pool, seed));
    case LinearSolver::countsketch:
      return projecting(make_countsketch_projection(options.sketch_size, pool, seed));
    case LinearSolver::srht:
      return projecting(make_srht_projection(options.sketch_size, pool, seed));
    case LinearSolver::kaczmarz_plus_plus:
      return projecting(make_kaczmarz_plus_plus(options.sketch_size, pool, seed));
    default:
      return nullptr;
  }
}

}  // namespace secondorder::newton
