// Small constrained problems, written once as formulas: their derivatives are exact, by hyper-dual
// numbers (Fike and Alonso 2011).
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "newton/minimize.hpp"
#include "newton/problem.hpp"

namespace secondorder::test {

/// a + b·ε₁ + c·ε₂ + d·ε₁ε₂ with ε₁² = ε₂² = 0: b and c become first derivatives, d a second one.
struct HyperDual {
  double value = 0, first = 0, second = 0, both = 0;
  HyperDual() = default;
  HyperDual(double constant) : value(constant) {}  // NOLINT(google-explicit-constructor)
  HyperDual(double v, double a, double b, double ab) : value(v), first(a), second(b), both(ab) {}
};

/// g(u), given g, g' and g'' at u.
inline HyperDual chain(const HyperDual& u, double g, double slope, double curvature) {
  return {g, slope * u.first, slope * u.second, slope * u.both + curvature * u.first * u.second};
}
inline HyperDual operator+(const HyperDual& a, const HyperDual& b) {
  return {a.value + b.value, a.first + b.first, a.second + b.second, a.both + b.both};
}
inline HyperDual operator-(const HyperDual& a) { return {-a.value, -a.first, -a.second, -a.both}; }
inline HyperDual operator-(const HyperDual& a, const HyperDual& b) { return a + -b; }
inline HyperDual operator*(const HyperDual& a, const HyperDual& b) {
  return {a.value * b.value, a.value * b.first + a.first * b.value,
          a.value * b.second + a.second * b.value,
          a.value * b.both + a.first * b.second + a.second * b.first + a.both * b.value};
}
inline HyperDual exp(const HyperDual& u) {
  const double e = std::exp(u.value);
  return chain(u, e, e, e);
}
inline HyperDual log(const HyperDual& u) {
  return chain(u, std::log(u.value), 1 / u.value, -1 / (u.value * u.value));
}
inline HyperDual sqrt(const HyperDual& u) {
  const double root = std::sqrt(u.value);
  return chain(u, root, 0.5 / root, -0.25 / (root * u.value));
}
inline HyperDual sin(const HyperDual& u) {
  return chain(u, std::sin(u.value), std::cos(u.value), -std::sin(u.value));
}
template <class Real>
Real square(const Real& u) {
  return u * u;
}

/// A problem out of a struct with static n, m, x0() and `evaluate(x, c)`, a template that returns f
/// and fills c. All structures are dense.
template <class Formula>
class FormulaProblem : public newton::Problem {
 public:
  static constexpr std::size_t n = Formula::n, m = Formula::m;
  explicit FormulaProblem(newton::HessianForm form = newton::HessianForm::values) : form_(form) {}

  std::size_t variables() const override { return n; }
  std::size_t constraints() const override { return m; }
  newton::Coordinates jacobian_structure() const override {
    newton::Coordinates structure;
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) place(structure, i, j);
    }
    return structure;
  }
  newton::HessianForm hessian_form() const override { return form_; }
  newton::Coordinates hessian_structure() const override {
    newton::Coordinates structure;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) place(structure, i, j);
    }
    return structure;
  }
  double objective(std::span<const double> x) override { return at(x, n, n).first.value; }
  void gradient(std::span<const double> x, std::span<double> out) override {
    for (std::size_t j = 0; j < n; ++j) out[j] = at(x, j, n).first.first;
  }
  void constraint(std::span<const double> x, std::span<double> out) override {
    const auto c = at(x, n, n).second;
    for (std::size_t i = 0; i < m; ++i) out[i] = c[i].value;
  }
  void jacobian_values(std::span<const double> x, std::span<double> out) override {
    for (std::size_t j = 0; j < n; ++j) {
      const auto c = at(x, j, n).second;
      for (std::size_t i = 0; i < m; ++i) out[i * n + j] = c[i].first;
    }
  }
  void hessian_values(std::span<const double> x, double sigma, std::span<const double> lambda,
                      std::span<double> out) override {
    std::size_t entry = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) out[entry++] = second(x, sigma, lambda, i, j);
    }
  }
  void hessian_product(std::span<const double> x, double sigma, std::span<const double> lambda,
                       std::span<const double> v, std::span<double> out) override {
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = 0;
      for (std::size_t j = 0; j < n; ++j) out[i] += second(x, sigma, lambda, i, j) * v[j];
    }
  }

 private:
  static void place(newton::Coordinates& structure, std::size_t i, std::size_t j) {
    structure.rows.push_back(static_cast<std::int32_t>(i));
    structure.cols.push_back(static_cast<std::int32_t>(j));
  }
  /// f and c with ε₁ on x[first] and ε₂ on x[second]; n: on none.
  static std::pair<HyperDual, std::vector<HyperDual>> at(std::span<const double> x,
                                                         std::size_t first, std::size_t second) {
    std::vector<HyperDual> point(x.begin(), x.end()), c(m);
    if (first < n) point[first].first = 1;
    if (second < n) point[second].second = 1;
    const HyperDual f = Formula::evaluate(point, c);
    return {f, c};
  }
  static double second(std::span<const double> x, double sigma, std::span<const double> lambda,
                       std::size_t i, std::size_t j) {
    const auto [f, c] = at(x, i, j);
    double sum = sigma * f.both;
    for (std::size_t k = 0; k < m; ++k) sum += lambda[k] * c[k].both;
    return sum;
  }

  newton::HessianForm form_;
};

/// Points and their constraint values, as formulas take them.
template <class Real>
using Values = std::vector<Real>;

struct Hs6 {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {-1.2, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = 10.0 * (x[1] - square(x[0]));
    return square(1.0 - x[0]);
  }
};
struct Hs7 {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {2, 2}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(1.0 + square(x[0])) + square(x[1]) - 4.0;
    return log(1.0 + square(x[0])) - x[1];
  }
};
struct Hs28 {
  static constexpr std::size_t n = 3, m = 1;
  static std::vector<double> x0() { return {-4, 1, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = x[0] + 2.0 * x[1] + 3.0 * x[2] - 1.0;
    return square(x[0] + x[1]) + square(x[1] + x[2]);
  }
};
struct Hs40 {
  static constexpr std::size_t n = 4, m = 3;
  static std::vector<double> x0() { return {0.8, 0.8, 0.8, 0.8}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = x[0] * x[0] * x[0] + square(x[1]) - 1.0;
    c[1] = square(x[0]) * x[3] - x[2];
    c[2] = square(x[3]) - x[1];
    return -(x[0] * x[1] * x[2] * x[3]);
  }
};
/// Boggs and Tolle's problem 6 (HS 77).
struct BoggsTolle6 {
  static constexpr std::size_t n = 5, m = 2;
  static std::vector<double> x0() { return {2, 2, 2, 2, 2}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    using std::sin;
    const Real cubed = (x[4] - 1.0) * square(x[4] - 1.0);
    c[0] = square(x[0]) * x[3] + sin(x[3] - x[4]) - 2.0 * std::sqrt(2.0);
    c[1] = x[1] + square(square(x[2])) * square(x[3]) - 8.0 - std::sqrt(2.0);
    return square(x[0] - 1.0) + square(x[0] - x[1]) + square(x[2] - 1.0) +
           square(square(x[3] - 1.0)) + square(cubed);
  }
};
/// Full Newton steps increase f and ‖c‖ both, arbitrarily near the solution (1, 0).
struct Maratos {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {std::cos(0.7), std::sin(0.7)}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) + square(x[1]) - 1.0;
    return 2.0 * c[0] - x[0];
  }
};
/// Two copies of one constraint: J is rank-deficient everywhere.
struct RankDeficient {
  static constexpr std::size_t n = 3, m = 2;
  static std::vector<double> x0() { return {3, -1, 0.5}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) + square(x[1]) - 2.0;
    c[1] = 2.0 * c[0];
    return x[0] + x[1] + square(x[2] - 1.0);
  }
};
/// x² = −1: ‖c‖ is least at x = 0.
struct Infeasible {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {2, 3}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) + 1.0;
    return square(x[1] - 1.0) + x[0];
  }
};
/// Three lines that don't meet.
struct Overdetermined {
  static constexpr std::size_t n = 2, m = 3;
  static std::vector<double> x0() { return {5, -3}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = x[0] - 1.0;
    c[1] = x[1] - 1.0;
    c[2] = x[0] + x[1] - 5.0;
    return square(x[0]);
  }
};
/// More constraints than variables, which hold at (1, 2) nevertheless.
struct ConsistentOverdetermined {
  static constexpr std::size_t n = 2, m = 3;
  static std::vector<double> x0() { return {3, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) - 1.0;
    c[1] = x[1] - 2.0 * x[0];
    c[2] = x[0] + x[1] - 3.0;
    return square(x[1]);
  }
};
struct Unbounded {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {1, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = x[0] - x[1];
    return -(x[0] + square(x[1]));
  }
};
struct Rosenbrock {
  static constexpr std::size_t n = 2, m = 0;
  static std::vector<double> x0() { return {-1.2, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>&) {
    return 100.0 * square(x[1] - square(x[0])) + square(1.0 - x[0]);
  }
};
/// NaN where x₀ ≤ 0, which full steps reach: the minimum of x − log x on x₀ = x₁ is at 1.
struct Logarithm {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {8, 7}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    using std::log, std::sqrt;
    c[0] = x[0] - x[1];
    return x[0] - log(x[0]) + 0.0 * sqrt(x[1]);
  }
};
struct NotFinite {
  static constexpr std::size_t n = 1, m = 0;
  static std::vector<double> x0() { return {-1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>&) {
    using std::log;
    return log(x[0]);
  }
};

inline newton::Result solve(newton::Problem& problem, const std::vector<double>& x0,
                            const newton::Options& options = {}) {
  const RunControl control;
  return newton::minimize(problem, x0, {}, options, control);
}
template <class Formula>
newton::Result solve(const newton::Options& options = {},
                     newton::HessianForm form = newton::HessianForm::values) {
  FormulaProblem<Formula> problem(form);
  return solve(problem, Formula::x0(), options);
}

/// max(‖∇f + Jᵀλ‖∞, ‖c‖∞) at a result, by the formulas.
template <class Formula>
double kkt_residual(const newton::Result& result) {
  using P = FormulaProblem<Formula>;
  P problem;
  std::vector<double> gradient(P::n), c(P::m), jacobian(P::m * P::n);
  problem.gradient(result.x, gradient);
  problem.constraint(result.x, c);
  problem.jacobian_values(result.x, jacobian);
  double worst = 0;
  for (std::size_t j = 0; j < P::n; ++j) {
    double sum = gradient[j];
    for (std::size_t i = 0; i < P::m; ++i) sum += jacobian[i * P::n + j] * result.lambda[i];
    worst = std::max(worst, std::abs(sum));
  }
  for (const double value : c) worst = std::max(worst, std::abs(value));
  return worst;
}

}  // namespace secondorder::test
