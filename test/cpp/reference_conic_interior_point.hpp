// A small dense primal-dual interior-point method for
//   minimize f(x)  subject to  G x + s = h,  s in R+^l x Q_1 x ... x Q_m,
// f convex and twice differentiable, Q_j = {(t, u): ||u|| <= t}: Nesterov-Todd scaling with
// Mehrotra's predictor and corrector, as in Vandenberghe's "The CVXOPT linear and quadratic cone
// program solvers" (2010), in extended precision. It is the tests' yardstick: nothing is exploited.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace secondorder::reference {

/// Extended where the platform has it: the scaled systems lose half of the digits.
using Real = long double;
using Vector = std::vector<Real>;

/// Row-major.
struct Matrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  Vector values;

  Matrix() = default;
  Matrix(std::size_t row_count, std::size_t column_count)
      : rows(row_count), cols(column_count), values(row_count * column_count) {}
  Real& operator()(std::size_t row, std::size_t col) { return values[row * cols + col]; }
  Real operator()(std::size_t row, std::size_t col) const { return values[row * cols + col]; }
  std::span<Real> row(std::size_t index) { return {values.data() + index * cols, cols}; }
  std::span<const Real> row(std::size_t index) const {
    return {values.data() + index * cols, cols};
  }
};

Real dot(std::span<const Real> a, std::span<const Real> b);
Real norm(std::span<const Real> a);

struct ConicProgram {
  std::size_t linear_rows = 0;          // the first rows of G
  std::vector<std::size_t> cone_sizes;  // of the rows after them, in order
  Matrix inequality;                    // G
  Vector bound;                         // h
  /// Overwrites the gradient and the Hessian of f at x.
  std::function<void(std::span<const Real> x, std::span<Real> gradient, Matrix& hessian)> objective;
};

struct ConicPoint {
  Vector x;  // starts at the caller's
  Vector s;
  Vector z;  // multipliers, in the same cone
};

/// Iterates from (x, e, e) until `done` returns true, the iterations are used up, or no further
/// progress is possible. `done` sees every iterate and keeps what it wants. Returns the iterations.
int solve_conic(const ConicProgram& program, ConicPoint& point,
                const std::function<bool(const ConicPoint&)>& done, int max_iterations = 200);

}  // namespace secondorder::reference
