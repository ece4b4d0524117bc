// The linear solvers there are, by name, and what can be asked of them.
#pragma once

#include <cstddef>

#include "base/enum_names.hpp"

namespace secondorder::newton {

enum class LinearSolver {
  automatic,
  ldl,  ///< dense or sparse, whichever is cheaper for the pattern
  dense_ldl,
  sparse_ldl,
  minres,
  nystrom_minres,
  sketch_preconditioner,  ///< of problems made of tall data
  kaczmarz,
  block_kaczmarz,
  gaussian,
  countsketch,
  srht,
  kaczmarz_plus_plus
};

struct KktSolverOptions {
  std::size_t sketch_size = 0;  ///< rows of a sketch or rank of a deflation; 0: the method's choice
  std::size_t max_steps = 0;    ///< inner iterations of one solve; 0: the method's choice
};

}  // namespace secondorder::newton

template <>
struct secondorder::EnumNames<secondorder::newton::LinearSolver> {
  using Solver = newton::LinearSolver;
  static constexpr Named<Solver> table[] = {
      {"auto", Solver::automatic},
      {"ldl", Solver::ldl},
      {"dense-ldl", Solver::dense_ldl},
      {"sparse-ldl", Solver::sparse_ldl},
      {"minres", Solver::minres},
      {"nystrom-minres", Solver::nystrom_minres},
      {"sketch-preconditioner", Solver::sketch_preconditioner},
      {"kaczmarz", Solver::kaczmarz},
      {"block-kaczmarz", Solver::block_kaczmarz},
      {"gaussian", Solver::gaussian},
      {"countsketch", Solver::countsketch},
      {"srht", Solver::srht},
      {"kaczmarz++", Solver::kaczmarz_plus_plus}};
};
