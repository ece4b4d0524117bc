// A small problem written once, as a formula, and its minimization.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "newton/minimize.hpp"
#include "newton/problem.hpp"
#include "newton_hyper_dual.hpp"

namespace secondorder::test {

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
