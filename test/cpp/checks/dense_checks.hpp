// What the dense operations of every algebra have to give: naive loops in extended precision.
#pragma once

#include <doctest/doctest.h>

#include "placed.hpp"

namespace secondorder::test {

template <class Real>
Wide element(const Matrix<Real>& a, Transpose op, std::size_t i, std::size_t j) {
  return op == Transpose::no ? a(i, j) : a(j, i);
}

template <class Real>
Matrix<Real> shaped(std::size_t rows, std::size_t cols, Transpose op, Random& random) {
  return op == Transpose::no ? Matrix<Real>::normal(rows, cols, random, 3)
                             : Matrix<Real>::normal(cols, rows, random, 2);
}

/// A positive definite matrix with eigenvalues about 1 and up, in its lower triangle; NaN above.
template <class Real>
Matrix<Real> positive(std::size_t n, Random& random) {
  const std::size_t inner = 12;
  const auto factor = Matrix<Real>::normal(n, inner, random);
  Matrix<Real> a(n, n, 3);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      Wide sum = i == j ? 1 : 0;
      for (std::size_t l = 0; l < inner; ++l) sum += static_cast<Wide>(factor(i, l)) * factor(j, l);
      a(i, j) = static_cast<Real>(sum);
    }
  }
  return a;
}

template <class Real>
std::vector<Wide> lower_product(const Matrix<Real>& l, const Matrix<Real>& b) {
  std::vector<Wide> out(b.rows() * b.cols());
  for (std::size_t i = 0; i < b.rows(); ++i) {
    for (std::size_t k = 0; k <= i; ++k) {
      for (std::size_t j = 0; j < b.cols(); ++j) {
        out[i * b.cols() + j] += static_cast<Wide>(l(i, k)) * b(k, j);
      }
    }
  }
  return out;
}

/// A·B with the lower triangle of a symmetric A.
template <class Real>
std::vector<Wide> symmetric_product(const Matrix<Real>& a, const Matrix<Real>& b) {
  std::vector<Wide> out(b.rows() * b.cols());
  for (std::size_t i = 0; i < b.rows(); ++i) {
    for (std::size_t k = 0; k < b.rows(); ++k) {
      const Wide entry = i >= k ? a(i, k) : a(k, i);
      for (std::size_t j = 0; j < b.cols(); ++j) out[i * b.cols() + j] += entry * b(k, j);
    }
  }
  return out;
}

/// In all four orientations.
template <class Real>
void check_multiply(Algebra<Real>& algebra) {
  struct Shape {
    std::size_t rows, inner, cols;
  };
  Random random(1);
  for (const Shape s : {Shape{0, 3, 4},
                        {3, 0, 4},
                        {3, 4, 0},
                        {1, 1, 1},
                        {5, 7, 3},
                        {9, 130, 1},
                        {33, 65, 17},
                        {513, 3, 2},
                        {2, 5, 1030},
                        {520, 40, 515}}) {
    for (const Transpose op_a : {Transpose::no, Transpose::yes}) {
      for (const Transpose op_b : {Transpose::no, Transpose::yes}) {
        CAPTURE(s.rows);
        CAPTURE(s.inner);
        CAPTURE(s.cols);
        const auto a = shaped<Real>(s.rows, s.inner, op_a, random);
        const auto b = shaped<Real>(s.inner, s.cols, op_b, random);
        const auto c = Matrix<Real>::normal(s.rows, s.cols, random, 3);
        std::vector<Wide> product(s.rows * s.cols), sum;
        for (std::size_t i = 0; i < s.rows; ++i) {
          for (std::size_t k = 0; k < s.inner; ++k) {
            for (std::size_t j = 0; j < s.cols; ++j) {
              product[i * s.cols + j] += element(a, op_a, i, k) * element(b, op_b, k, j);
            }
          }
        }
        for (std::size_t i = 0; i < s.rows; ++i) {
          for (std::size_t j = 0; j < s.cols; ++j) {
            sum.push_back(Wide(0.5) * product[i * s.cols + j] - 2 * static_cast<Wide>(c(i, j)));
          }
        }
        const Placed<Real> left(algebra, a), right(algebra, b), added(algebra, c),
            overwritten(algebra, s.rows, s.cols);
        algebra.multiply(Real(0.5), left, op_a, right, op_b, -2, added);
        check_close(added, sum, rounding<Real>);
        algebra.multiply(1, left, op_a, right, op_b, 0, overwritten);  // over NaNs
        check_close(overwritten, product, rounding<Real>);
      }
    }
  }
}

/// The residuals of solutions, for orders about `orders`.
template <class Real>
void check_cholesky(Algebra<Real>& algebra, const std::vector<std::size_t>& orders) {
  Random random(2);
  for (const std::size_t n : orders) {
    for (const std::size_t columns : {0U, 1U, 3U, 20U}) {
      if (n > 300 && columns >= 3 && sizeof(Real) == 4) continue;
      CAPTURE(n);
      CAPTURE(columns);
      const Matrix<Real> a = positive<Real>(n, random);
      const Placed<Real> factor(algebra, a);
      REQUIRE(algebra.cholesky(factor));
      const Matrix<Real> lower = factor.back();
      CHECK(lower.padding_untouched());
      const auto x = Matrix<Real>::normal(n, columns, random, 2);
      const std::vector<Real> want = x.flat();
      const double allowed = 100 * rounding<Real>;  // the condition number is a few hundred

      const Placed<Real> solved(algebra, x), half_solved(algebra, x);
      algebra.cholesky_solve(factor, solved);
      CHECK(error(symmetric_product(a, solved.back()), want) < allowed);
      CHECK(solved.back().padding_untouched());
      algebra.lower_solve(factor, half_solved);
      CHECK(error(lower_product(lower, half_solved.back()), want) < allowed);
      CHECK(half_solved.back().padding_untouched());
    }
  }
}

/// The backward error of solutions stays near rounding where the condition number is some 1e6.
template <class Real>
void check_ill_conditioned(Algebra<Real>& algebra, std::size_t n) {
  Random random(6);
  for (const std::size_t columns : {1U, 2U, 20U}) {
    CAPTURE(columns);
    Matrix<Real> a = positive<Real>(n, random);
    Wide largest_row = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) a(i, j) = Real(1e4) * (a(i, j) - (i == j ? 1 : 0));
      a(i, i) += 1;  // eigenvalues of 1 beside those of some 1e6
    }
    for (std::size_t i = 0; i < n; ++i) {
      Wide row = 0;
      for (std::size_t j = 0; j < n; ++j) row += std::abs(i >= j ? a(i, j) : a(j, i));
      largest_row = std::max(largest_row, row);
    }
    const auto b = Matrix<Real>::normal(n, columns, random);
    const Placed<Real> factor(algebra, a), solved(algebra, b);
    REQUIRE(algebra.cholesky(factor));
    algebra.cholesky_solve(factor, solved);
    const Matrix<Real> x = solved.back();
    Wide largest = 0, worst = 0;
    for (const Real value : x.flat()) largest = std::max(largest, Wide(std::abs(value)));
    const std::vector<Wide> product = symmetric_product(a, x);
    for (std::size_t i = 0; i < n * columns; ++i) {
      worst = std::max(worst, std::abs(product[i] - b(i / columns, i % columns)));
    }
    const Wide unit = std::numeric_limits<Real>::epsilon();
    CHECK(worst <= 20 * unit * (largest_row * largest + 1));
  }
}

template <class Real>
void check_indefinite(Algebra<Real>& algebra, const std::vector<std::size_t>& orders) {
  Random random(3);
  for (const std::size_t n : orders) {
    for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
      CAPTURE(n);
      CAPTURE(at);
      for (const Real bad : {Real(0), Real(-1), std::numeric_limits<Real>::quiet_NaN(),
                             -std::numeric_limits<Real>::infinity()}) {
        CAPTURE(bad);
        Matrix<Real> a = positive<Real>(n, random);
        a(at, at) = bad;
        CHECK_FALSE(algebra.cholesky(Placed<Real>(algebra, a)));
      }
    }
  }
  Matrix<Real> indefinite(2, 2);
  indefinite(0, 0) = indefinite(1, 1) = 1;
  indefinite(1, 0) = indefinite(0, 1) = 2;
  CHECK_FALSE(algebra.cholesky(Placed<Real>(algebra, indefinite)));
}

template <class Real>
void check_symmetrize(Algebra<Real>& algebra) {
  Random random(4);
  for (const std::size_t n : {0U, 1U, 5U, 63U, 64U, 65U, 130U, 500U}) {
    CAPTURE(n);
    const Matrix<Real> before = Matrix<Real>::normal(n, n, random, 1),
                       diagonal = Matrix<Real>::normal(1, n, random);
    const Placed<Real> a(algebra, before), added(algebra, diagonal);
    algebra.symmetrize(a);
    algebra.add_to_diagonal(added, a);
    std::vector<Wide> want;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        want.push_back((i >= j ? before(i, j) : before(j, i)) +
                       (i == j ? static_cast<Wide>(diagonal(0, i)) : 0));
      }
    }
    check_close(a, want, rounding<Real>);
  }
}

/// axpby, scale_columns, fill, copy and dot, with and without padding.
template <class Real>
void check_elements(Algebra<Real>& algebra) {
  Random random(5);
  for (const std::size_t rows : {0U, 1U, 3U, 1000U}) {
    for (const std::size_t cols : {0U, 1U, 7U, 8U, 200U}) {
      for (const std::size_t padding : {0U, 1U, 4U}) {
        CAPTURE(rows);
        CAPTURE(cols);
        CAPTURE(padding);
        const auto x = Matrix<Real>::normal(rows, cols, random, padding);
        const auto start = Matrix<Real>::normal(rows, cols, random, padding / 2);
        const auto scale = Matrix<Real>::normal(1, cols, random);
        const Placed<Real> from(algebra, x), y(algebra, start), other(algebra, start),
            factors(algebra, scale), scaled(algebra, x), replaced(algebra, rows, cols, padding),
            filled(algebra, rows, cols, padding), copied(algebra, rows, cols, padding / 2);
        algebra.axpby(2, from, Real(-0.5), y);
        algebra.axpby(2, from, 0, replaced);
        algebra.scale_columns(factors, scaled);
        algebra.fill(filled, 3);
        algebra.copy(from, copied);
        std::vector<Wide> sum, twice, columns, same, three(rows * cols, 3);
        Wide product = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < cols; ++j) {
            const Wide value = x(i, j);
            same.push_back(value);
            sum.push_back(2 * value - static_cast<Wide>(start(i, j)) / 2);
            twice.push_back(2 * value);
            columns.push_back(value * scale(0, j));
            product += value * start(i, j);
          }
        }
        check_close(y, sum, rounding<Real>);
        check_close(replaced, twice, rounding<Real>);
        check_close(scaled, columns, rounding<Real>);
        check_close(filled, three, 0);
        check_close(copied, same, 0);
        CHECK(error(std::vector{algebra.dot(from, other)}, std::vector{product}) <
              rounding<double>);
      }
    }
  }
}

}  // namespace secondorder::test
