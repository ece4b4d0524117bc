// The linear system of one Newton step,
//
//     [ H + δ_w I   Jᵀ     ] [ Δx ]
//     [ J          −δ_c I  ] [ Δλ ]  =  b,
//
// and what solves it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "newton/sparse.hpp"

namespace secondorder::newton {

struct Inertia {
  std::size_t positive = 0, negative = 0, zero = 0;
  bool operator==(const Inertia&) const = default;
};

/// K of one Newton step. `hessian` is null when only products are known.
struct KktSystem {
  std::size_t variables = 0, constraints = 0;
  const SparseSymmetric* hessian = nullptr;  ///< lower triangle, compressed columns
  const SparseMatrix* jacobian = nullptr;    ///< m × n, compressed rows; always set
  /// out = H·v; always set
  std::function<void(std::span<const double> v, std::span<double> out)> hessian_product;
  double delta_w = 0, delta_c = 0;
  /// Another one for other values of H or J, so that devices keep copies of them; 0: none are kept.
  std::uint64_t revision = 0;

  std::size_t order() const { return variables + constraints; }
  /// out = K·v
  void multiply(std::span<const double> v, std::span<double> out) const;
};

struct SolveOutcome {
  bool reached = false;
  double residual = 0;    ///< ‖b − Kx‖ / ‖b‖, recomputed; 0 where b = 0
  std::size_t steps = 0;  ///< inner iterations, or solves with the factors
};

/// One solver serves all systems of a run: same order and patterns, other values. Results depend on
/// the seed and the systems alone, not on the number of threads.
class KktSolver {
 public:
  KktSolver() = default;
  KktSolver(const KktSolver&) = delete;
  KktSolver& operator=(const KktSolver&) = delete;
  virtual ~KktSolver() = default;

  /// As in options.linearSolver.
  virtual std::string_view name() const = 0;
  /// Factors, sketches or preconditions; the inertia where the method tells it. The system stays
  /// unchanged, and in place, until the next call.
  virtual std::optional<Inertia> prepare(const KktSystem& system) = 0;
  /// Improves x (a warm start, or 0) until the relative residual is at most `accuracy`. May be
  /// called for several right-hand sides of one system.
  virtual SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) = 0;
  /// Factorizations done so far, where the method makes any.
  virtual std::size_t factorizations() const { return 0; }
};

}  // namespace secondorder::newton
