// Random KKT systems with everything they refer to, and their solutions by LAPACK's dense LU.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "newton/kkt_system.hpp"
#include "test_support.hpp"

extern "C" {
void dgesv_(const int* n, const int* columns, double* a, const int* lda, int* pivots, double* b,
            const int* ldb, int* info);
void dsyev_(const char* job, const char* triangle, const int* n, double* a, const int* lda,
            double* values, double* work, const int* work_size, int* info);
}

namespace secondorder::test {

/// Signs of the eigenvalues of a symmetric matrix of this order; none counts as zero.
inline newton::Inertia inertia_by_eigenvalues(std::vector<double> k, std::size_t order) {
  std::vector<double> values(order), work(64 * order + 64);
  const int n = static_cast<int>(order), stride = std::max(n, 1);
  const int size = static_cast<int>(work.size());
  int info = 0;
  dsyev_("N", "L", &n, k.data(), &stride, values.data(), work.data(), &size, &info);
  newton::Inertia inertia;
  for (const double value : values) value > 0 ? ++inertia.positive : ++inertia.negative;
  return inertia;
}

/// K with a Hessian of given entries and a random Jacobian. Not to be copied: it refers to itself.
struct KktInstance {
  newton::SparseSymmetric hessian;
  newton::SparseMatrix jacobian;
  newton::KktSystem system;

  KktInstance() = default;
  KktInstance(const KktInstance&) = delete;
  KktInstance& operator=(const KktInstance&) = delete;

  /// `h(i, j)` for j ≤ i, and `a(i, j)`; zeros are left out of the patterns.
  template <class Hessian, class Jacobian>
  KktInstance(std::size_t n, std::size_t m, const Hessian& h, const Jacobian& a) {
    newton::Coordinates lower, rows;
    std::vector<double> lower_values, row_values;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) put(lower, lower_values, i, j, h(i, j));
    }
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) put(rows, row_values, i, j, a(i, j));
    }
    hessian = newton::SparseSymmetric(n, lower, "hessian");
    hessian.assign(lower_values);
    jacobian = newton::SparseMatrix(m, n, rows, "jacobian");
    jacobian.assign(row_values);
    system.variables = n;
    system.constraints = m;
    system.hessian = &hessian;
    system.jacobian = &jacobian;
    system.hessian_product = [this](auto v, auto out) { hessian.multiply(v, out); };
  }

  std::size_t order() const { return system.order(); }
  /// K, column after column, by products with unit vectors.
  std::vector<double> matrix() const {
    std::vector<double> k(order() * order()), unit(order(), 0.0);
    for (std::size_t j = 0; j < order(); ++j) {
      unit[j] = 1;
      system.multiply(unit, std::span(k).subspan(j * order(), order()));
      unit[j] = 0;
    }
    return k;
  }
  std::vector<double> solution(std::vector<double> b) const {
    const int n = static_cast<int>(order()), one = 1;
    std::vector<double> k = matrix();
    std::vector<int> pivots(order());
    int info = 0;
    dgesv_(&n, &one, k.data(), &n, pivots.data(), b.data(), &n, &info);
    if (info != 0) b.assign(b.size(), std::nan(""));
    return b;
  }
  double residual(const std::vector<double>& b, const std::vector<double>& x) const {
    std::vector<double> r(b.size());
    system.multiply(x, r);
    double squares = 0, size = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
      squares += (b[i] - r[i]) * (b[i] - r[i]);
      size += b[i] * b[i];
    }
    return std::sqrt(squares / size);
  }

 private:
  static void put(newton::Coordinates& at, std::vector<double>& values, std::size_t i,
                  std::size_t j, double value) {
    if (value == 0) return;
    at.rows.push_back(static_cast<std::int32_t>(i));
    at.cols.push_back(static_cast<std::int32_t>(j));
    values.push_back(value);
  }
};

/// A dense K: H = GGᵀ/n + shift·I with normal G, and a normal J.
inline auto dense_instance(std::size_t n, std::size_t m, Random& random, double shift = 1) {
  const auto g = Matrix<double>::normal(n, n, random), a = Matrix<double>::normal(m, n, random);
  return std::make_unique<KktInstance>(
      n, m,
      [&](std::size_t i, std::size_t j) {
        double sum = i == j ? shift : 0;
        for (std::size_t k = 0; k < n; ++k) sum += g(i, k) * g(j, k) / static_cast<double>(n);
        return sum;
      },
      [&](std::size_t i, std::size_t j) { return a(i, j); });
}

/// A sparse one: tridiagonal, indefinite H, and two entries in each row of J.
inline auto sparse_instance(std::size_t n, std::size_t m, Random& random) {
  return std::make_unique<KktInstance>(
      n, m,
      [&](std::size_t i, std::size_t j) {
        if (i == j) return i % 5 == 4 ? -2 - random.uniform() : 3 + random.uniform();
        return i == j + 1 ? random.normal() : 0.0;
      },
      [&](std::size_t i, std::size_t j) {
        return j == i || j == i + n / 2 ? 2 * random.label() : 0.0;
      });
}

inline std::vector<double> normals(std::size_t count, Random& random) {
  std::vector<double> v(count);
  for (double& value : v) value = random.normal();
  return v;
}

inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(squares);
}

}  // namespace secondorder::test
