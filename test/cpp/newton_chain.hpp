// A sparse problem of any size.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "newton/problem.hpp"
#include "newton_problems.hpp"

namespace secondorder::test {

/// min Σ (x_i − t_i)² + Σ (x_{i+1} − x_i)⁴ subject to x_{2k}² + x_{2k+1} = 1 for each pair: H is
/// tridiagonal, J has two entries a row.
class Chain final : public newton::Problem {
 public:
  explicit Chain(std::size_t n, newton::HessianForm form = newton::HessianForm::values)
      : n_(n), form_(form) {}
  std::size_t variables() const override { return n_; }
  std::size_t constraints() const override { return n_ / 2; }
  newton::Coordinates jacobian_structure() const override {
    newton::Coordinates structure;
    for (std::size_t k = 0; k < n_ / 2; ++k) {
      for (const std::size_t j : {2 * k, 2 * k + 1}) {
        structure.rows.push_back(static_cast<std::int32_t>(k));
        structure.cols.push_back(static_cast<std::int32_t>(j));
      }
    }
    return structure;
  }
  newton::HessianForm hessian_form() const override { return form_; }
  newton::Coordinates hessian_structure() const override {
    newton::Coordinates structure;
    for (std::size_t i = 0; i < n_; ++i) {
      structure.rows.push_back(static_cast<std::int32_t>(i));
      structure.cols.push_back(static_cast<std::int32_t>(i));
      if (i == 0) continue;
      structure.rows.push_back(static_cast<std::int32_t>(i));
      structure.cols.push_back(static_cast<std::int32_t>(i - 1));
    }
    return structure;
  }
  double objective(std::span<const double> x) override {
    double sum = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      sum += square(x[i] - target(i));
      if (i > 0) sum += square(square(x[i] - x[i - 1]));
    }
    return sum;
  }
  void gradient(std::span<const double> x, std::span<double> out) override {
    for (std::size_t i = 0; i < n_; ++i) {
      out[i] = 2 * (x[i] - target(i));
      if (i == 0) continue;
      const double slope = 4 * std::pow(x[i] - x[i - 1], 3);
      out[i] += slope;
      out[i - 1] -= slope;
    }
  }
  void constraint(std::span<const double> x, std::span<double> out) override {
    for (std::size_t k = 0; k < n_ / 2; ++k) out[k] = square(x[2 * k]) + x[2 * k + 1] - 1;
  }
  void jacobian_values(std::span<const double> x, std::span<double> out) override {
    for (std::size_t k = 0; k < n_ / 2; ++k) {
      out[2 * k] = 2 * x[2 * k];
      out[2 * k + 1] = 1;
    }
  }
  void hessian_values(std::span<const double> x, double sigma, std::span<const double> lambda,
                      std::span<double> out) override {
    double curvature = 0;
    for (std::size_t i = 0, entry = 0; i < n_; ++i) {
      const double next = i + 1 < n_ ? 12 * sigma * square(x[i + 1] - x[i]) : 0;
      out[entry++] = 2 * sigma + curvature + next + (i % 2 == 0 ? 2 * lambda[i / 2] : 0);
      curvature = next;
      if (i > 0) out[entry++] = -12 * sigma * square(x[i] - x[i - 1]);
    }
  }

 private:
  static double target(std::size_t i) {
    return 0.5 + 0.3 * std::sin(0.01 * static_cast<double>(i));
  }
  std::size_t n_;
  newton::HessianForm form_;
};

}  // namespace secondorder::test
