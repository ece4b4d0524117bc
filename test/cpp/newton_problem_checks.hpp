// Checks of a problem's derivatives by central differences, and its KKT systems.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "newton/problem.hpp"
#include "newton_kkt_instances.hpp"

namespace secondorder::test {

inline std::vector<double> hessian_times(newton::Problem& p, const std::vector<double>& x,
                                         double sigma, const std::vector<double>& lambda,
                                         const std::vector<double>& v) {
  const auto at = p.hessian_structure();
  std::vector<double> values(at.size()), out(x.size(), 0.0);
  p.hessian_values(x, sigma, lambda, values);
  for (std::size_t k = 0; k < at.size(); ++k) {
    const auto i = static_cast<std::size_t>(at.rows[k]), j = static_cast<std::size_t>(at.cols[k]);
    out[i] += values[k] * v[j];
    if (i != j) out[j] += values[k] * v[i];
  }
  return out;
}

inline std::vector<double> jacobian_times(newton::Problem& p, const std::vector<double>& x,
                                          const std::vector<double>& v) {
  const auto at = p.jacobian_structure();
  std::vector<double> values(at.size()), out(p.constraints(), 0.0);
  p.jacobian_values(x, values);
  for (std::size_t k = 0; k < at.size(); ++k) {
    out[static_cast<std::size_t>(at.rows[k])] +=
        values[k] * v[static_cast<std::size_t>(at.cols[k])];
  }
  return out;
}

/// sigma·∇f + Jᵀλ
inline std::vector<double> lagrangian_gradient(newton::Problem& p, const std::vector<double>& x,
                                               double sigma, const std::vector<double>& lambda) {
  std::vector<double> out(x.size());
  p.gradient(x, out);
  for (double& value : out) value *= sigma;
  const auto at = p.jacobian_structure();
  std::vector<double> values(at.size());
  p.jacobian_values(x, values);
  for (std::size_t k = 0; k < at.size(); ++k) {
    out[static_cast<std::size_t>(at.cols[k])] +=
        values[k] * lambda[static_cast<std::size_t>(at.rows[k])];
  }
  return out;
}

inline std::vector<double> moved(std::vector<double> x, double by,
                                 const std::vector<double>& along) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += by * along[i];
  return x;
}

/// Every derivative along a random direction, by central differences.
inline void check_derivatives(newton::Problem& p, Random& random) {
  const std::size_t n = p.variables(), m = p.constraints();
  const std::vector<double> x = normals(n, random), v = normals(n, random);
  const std::vector<double> lambda = normals(m, random);
  const double h = 1e-5, sigma = 0.7;
  const auto ahead = moved(x, h, v), behind = moved(x, -h, v);
  std::vector<double> g(n);
  p.gradient(x, g);
  double slope = 0;
  for (std::size_t i = 0; i < n; ++i) slope += g[i] * v[i];
  const double measured = (p.objective(ahead) - p.objective(behind)) / (2 * h);
  CHECK(measured == doctest::Approx(slope).epsilon(1e-6));

  std::vector<double> above(m), below(m);
  p.constraint(ahead, above);
  p.constraint(behind, below);
  for (std::size_t i = 0; i < m; ++i) above[i] = (above[i] - below[i]) / (2 * h);
  CHECK(error(jacobian_times(p, x, v), above) < 1e-6);

  std::vector<double> bend = lagrangian_gradient(p, ahead, sigma, lambda);
  const std::vector<double> other = lagrangian_gradient(p, behind, sigma, lambda);
  for (std::size_t i = 0; i < n; ++i) bend[i] = (bend[i] - other[i]) / (2 * h);
  if (p.hessian_form() == newton::HessianForm::values) {
    CHECK(error(hessian_times(p, x, sigma, lambda, v), bend) < 1e-6);
  } else {
    std::vector<double> product(n);
    p.hessian_product(x, sigma, lambda, v, product);
    CHECK(error(product, bend) < 1e-6);
  }
}

/// The KKT system of a problem at a point.
struct ProblemSystem {
  newton::SparseSymmetric hessian;
  newton::SparseMatrix jacobian;
  newton::KktSystem system;

  ProblemSystem(newton::Problem& p, const std::vector<double>& x, const std::vector<double>& lambda,
                double row_scale = 1)
      : jacobian(p.constraints(), p.variables(), p.jacobian_structure(), "jacobian") {
    std::vector<double> values(p.jacobian_structure().size());
    p.jacobian_values(x, values);
    jacobian.assign(values, std::vector<double>(p.constraints(), row_scale));
    system.variables = p.variables();
    system.constraints = p.constraints();
    system.jacobian = &jacobian;
    if (p.hessian_form() == newton::HessianForm::values) {
      hessian = newton::SparseSymmetric(p.variables(), p.hessian_structure(), "hessian");
      std::vector<double> entries(p.hessian_structure().size());
      p.hessian_values(x, 1, lambda, entries);
      hessian.assign(entries);
      system.hessian = &hessian;
      system.hessian_product = [this](auto v, auto out) { hessian.multiply(v, out); };
    } else {
      system.hessian_product = [&p, x, lambda](auto v, auto out) {
        p.hessian_product(x, 1, lambda, v, out);
      };
    }
  }
  ProblemSystem(const ProblemSystem&) = delete;
  ProblemSystem& operator=(const ProblemSystem&) = delete;
};

inline double residual(const newton::KktSystem& system, const std::vector<double>& b,
                       const std::vector<double>& x) {
  std::vector<double> r(b.size());
  system.multiply(x, r);
  return distance(r, b) / distance(b, std::vector<double>(b.size(), 0.0));
}

}  // namespace secondorder::test
