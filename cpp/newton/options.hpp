// What a run of minimize is asked for. Defaults are the facade's business.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/enum_names.hpp"
#include "device/request.hpp"
#include "newton/linear_solver.hpp"

namespace secondorder::newton {

/// The practical method, or the algorithm of arXiv 2305.18379 with its constants.
enum class Preset { standard, paper };

enum class Globalization { filter, exact_augmented_lagrangian };

struct Options {
  Preset preset = Preset::standard;
  /// On max(‖∇L‖∞ / s_d, ‖c‖∞); the paper's: on the Euclidean norm of (∇L, c), unscaled.
  double tolerance = 1e-6;
  LinearSolver linear_solver = LinearSolver::automatic;
  KktSolverOptions linear = {};
  Globalization globalization = Globalization::filter;
  std::size_t max_iterations = 500;
  std::uint64_t seed = 0;
  /// f and each row of c are scaled down to gradients of at most this ‖·‖∞ at x₀; 0: no scaling.
  double largest_gradient = 100;
  std::size_t second_order_corrections = 4;
  /// Pairs (s, y) that limited-memory BFGS keeps; 0: by the number of variables, where few a dense
  /// matrix.
  std::size_t bfgs_memory = 0;
  /// Where the linear systems of Newton steps are solved.
  DeviceRequest device = {};
};

}  // namespace secondorder::newton

template <>
struct secondorder::EnumNames<secondorder::newton::Preset> {
  using Preset = newton::Preset;
  static constexpr Named<Preset> table[] = {{"default", Preset::standard},
                                            {"paper", Preset::paper}};
};
template <>
struct secondorder::EnumNames<secondorder::newton::Globalization> {
  using Globalization = newton::Globalization;
  static constexpr Named<Globalization> table[] = {
      {"filter", Globalization::filter},
      {"exact-augmented-lagrangian", Globalization::exact_augmented_lagrangian}};
};
