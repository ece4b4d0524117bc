#include "newton/derivative_check.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.hpp"
#include "newton/finite_difference.hpp"
#include "newton/kkt_system.hpp"
#include "newton/sparse.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// Multiples of ε·|function|/step that rounding may make of a difference.
constexpr double rounding = 100;

/// (i, j), read and not multiplied: 0·NaN would spread over the row.
double entry(const SparseMatrix& matrix, std::size_t i, std::size_t j) {
  const auto columns = matrix.columns();
  const auto first = columns.begin() + matrix.offsets()[i];
  const auto last = columns.begin() + matrix.offsets()[i + 1];
  const auto found = std::lower_bound(first, last, static_cast<std::int32_t>(j));
  if (found == last || *found != static_cast<std::int32_t>(j)) return 0;
  return matrix.values()[static_cast<std::size_t>(found - columns.begin())];
}

/// Column j of the lower triangle, in the same way.
void fill_column(const SparseSymmetric& matrix, std::size_t j, Vector& column) {
  std::fill(column.begin(), column.end(), 0.0);
  for (auto p = static_cast<std::size_t>(matrix.offsets()[j]);
       p < static_cast<std::size_t>(matrix.offsets()[j + 1]); ++p) {
    column[static_cast<std::size_t>(matrix.rows()[p])] = matrix.values()[p];
  }
}

class Checker {
 public:
  Checker(Problem& problem, std::span<const double> x, std::span<const double> lambda,
          const DerivativeCheck& check, const ThreadPool& pool)
      : problem_(problem), x_(x.begin(), x.end()), lambda_(lambda), check_(check), pool_(pool) {
    const Coordinates structure = problem.jacobian_structure();
    jacobian_ = SparseMatrix(problem.constraints(), problem.variables(), structure, "jacobian");
    coordinates_.resize(structure.size());
  }

  DerivativeReport run();

 private:
  struct Shift {
    std::size_t variable;
    double step;
  };
  template <class Values>
  Vector difference(Shift shift, std::size_t size, const Values& values, Vector& noise);
  void check_functions();
  void check_hessian();
  void lagrangian_gradient(std::span<const double> x, Vector& out);
  void compare(Derivative derivative, std::size_t row, std::size_t column, double given,
               double difference, double noise);

  Problem& problem_;
  Vector x_;
  std::span<const double> lambda_;
  const DerivativeCheck& check_;
  const ThreadPool& pool_;
  SparseMatrix jacobian_;
  Vector coordinates_;
  DerivativeReport report_;
};

/// Central differences by one variable of a function of `size` values, and the noise they carry.
template <class Values>
Vector Checker::difference(Shift shift, std::size_t size, const Values& values, Vector& noise) {
  pool_.checkpoint();
  Vector above(size), below(size);
  const double middle = x_[shift.variable];
  x_[shift.variable] = middle + shift.step;
  values(x_, above);
  x_[shift.variable] = middle - shift.step;
  values(x_, below);
  x_[shift.variable] = middle;
  noise.resize(size);
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  for (std::size_t i = 0; i < size; ++i) {
    noise[i] = rounding * epsilon * (std::abs(above[i]) + std::abs(below[i])) / shift.step;
    above[i] = (above[i] - below[i]) / (2 * shift.step);
  }
  return above;
}

void Checker::compare(Derivative derivative, std::size_t row, std::size_t column, double given,
                      double difference, double noise) {
  // What can't be compared must not pass; the noise isn't finite where the function is too large.
  const bool known = std::isfinite(given) && std::isfinite(difference) && std::isfinite(noise);
  const double size = std::max({1.0, std::abs(given), std::abs(difference)});
  const double error =
      known ? std::abs(given - difference) / size : std::numeric_limits<double>::infinity();
  double& worst = derivative == Derivative::gradient   ? report_.gradient_error
                  : derivative == Derivative::jacobian ? report_.jacobian_error
                                                       : report_.hessian_error;
  worst = std::max(worst, error);
  if (known && error <= std::max(check_.tolerance, noise / size)) return;
  ++report_.wrong_entries;
  report_.wrong.push_back({derivative, row, column, given, difference, error});
}

/// ∇f and J against differences of f and c.
void Checker::check_functions() {
  const std::size_t n = problem_.variables(), m = problem_.constraints();
  Vector gradient(n), noise;
  if (check_.gradient) problem_.gradient(x_, gradient);
  if (check_.jacobian && m > 0) {
    problem_.jacobian_values(x_, coordinates_);
    jacobian_.assign(coordinates_);
  }
  for (std::size_t j = 0; j < n; ++j) {
    const Shift shift{j, difference_step(x_[j], Difference::central)};
    if (check_.gradient) {
      const auto objective = [this](const Vector& x, Vector& out) {
        out[0] = problem_.objective(x);
      };
      const Vector slope = difference(shift, 1, objective, noise);
      compare(Derivative::gradient, j, 0, gradient[j], slope[0], noise[0]);
    }
    if (!check_.jacobian || m == 0) continue;
    const auto constraint = [this](const Vector& x, Vector& out) { problem_.constraint(x, out); };
    const Vector slope = difference(shift, m, constraint, noise);
    for (std::size_t i = 0; i < m; ++i) {
      compare(Derivative::jacobian, i, j, entry(jacobian_, i, j), slope[i], noise[i]);
    }
  }
}

void Checker::lagrangian_gradient(std::span<const double> x, Vector& out) {
  problem_.gradient(x, out);
  if (problem_.constraints() == 0) return;
  problem_.jacobian_values(x, coordinates_);
  jacobian_.assign(coordinates_);
  jacobian_.add_transposed(1, lambda_, out);
}

/// Columns of the Hessian against differences of ∇f + Jᵀλ.
void Checker::check_hessian() {
  const std::size_t n = problem_.variables();
  const HessianForm form = problem_.hessian_form();
  SparseSymmetric hessian;
  if (form == HessianForm::values) {
    const Coordinates structure = problem_.hessian_structure();
    hessian = SparseSymmetric(n, structure, "hessian");
    Vector values(structure.size());
    problem_.hessian_values(x_, 1, lambda_, values);
    hessian.assign(values);
  }
  Vector unit(n), column(n), noise;
  for (std::size_t j = 0; j < n; ++j) {
    if (form == HessianForm::values) {
      fill_column(hessian, j, column);
    } else {
      unit[j] = 1;
      problem_.hessian_product(x_, 1, lambda_, unit, column);
      unit[j] = 0;
    }
    const Shift shift{j, difference_step(x_[j], Difference::central)};
    const auto gradient = [this](const Vector& x, Vector& out) { lagrangian_gradient(x, out); };
    const Vector slope = difference(shift, n, gradient, noise);
    const std::size_t first = form == HessianForm::values ? j : 0;
    for (std::size_t i = first; i < n; ++i) {
      compare(Derivative::hessian, i, j, column[i], slope[i], noise[i]);
    }
  }
}

DerivativeReport Checker::run() {
  check_functions();
  if (check_.hessian && problem_.hessian_form() != HessianForm::none) check_hessian();
  std::stable_sort(report_.wrong.begin(), report_.wrong.end(),
                   [](const auto& a, const auto& b) { return a.error > b.error; });
  if (report_.wrong.size() > check_.most_entries) report_.wrong.resize(check_.most_entries);
  return std::move(report_);
}

}  // namespace

DerivativeReport check_derivatives(Problem& problem, std::span<const double> x,
                                   std::span<const double> lambda, const DerivativeCheck& check,
                                   const ThreadPool& pool) {
  return Checker(problem, x, lambda, check, pool).run();
}

}  // namespace secondorder::newton
