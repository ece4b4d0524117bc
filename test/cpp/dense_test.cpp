// The dense operations of the algebra against naive loops in extended precision.
#include <doctest/doctest.h>

#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

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

}  // namespace

TEST_SUITE("dense algebra") {
  TEST_CASE_TEMPLATE("multiply, in all four orientations", Real, float, double) {
    struct Shape {
      std::size_t rows, inner, cols;
    };
    CpuAlgebra<Real> algebra(2);
    Random random(1);
    for (const Shape s : {Shape{0, 3, 4},
                          {3, 0, 4},
                          {3, 4, 0},
                          {1, 1, 1},
                          {5, 7, 3},
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
          Matrix<Real> c = Matrix<Real>::normal(s.rows, s.cols, random, 3),
                       overwritten(s.rows, s.cols);
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
          algebra.multiply(Real(0.5), a, op_a, b, op_b, -2, c);
          CHECK(error(c, sum) < rounding<Real>);
          CHECK(c.padding_untouched());
          algebra.multiply(1, a, op_a, b, op_b, 0, overwritten);  // beta 0: NaNs are overwritten
          CHECK(error(overwritten, product) < rounding<Real>);
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("Cholesky factor and solves", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    Random random(2);
    for (const std::size_t n : {0U, 1U, 2U, 17U, 255U, 256U, 257U, 530U}) {
      for (const std::size_t columns : {0U, 1U, 3U}) {
        if (n > 300 && columns == 3 && sizeof(Real) == 4) continue;
        CAPTURE(n);
        CAPTURE(columns);
        const Matrix<Real> a = positive<Real>(n, random);
        Matrix<Real> factor = a;
        REQUIRE(algebra.cholesky(factor));
        CHECK(factor.padding_untouched());
        const auto x = Matrix<Real>::normal(n, columns, random, 2);
        const double allowed = 100 * rounding<Real>;  // the condition number is a few hundred

        Matrix<Real> b = x;
        algebra.cholesky_solve(factor, b);  // the residual of the solution
        CHECK(error(symmetric_product(a, b), [&] {
                const std::vector<Real> flat = x.flat();
                return std::vector<Wide>(flat.begin(), flat.end());
              }()) < allowed);
        CHECK(b.padding_untouched());

        Matrix<Real> lower = x;
        algebra.lower_solve(factor, lower);
        const std::vector<Real> flat = x.flat();
        CHECK(error(lower_product(factor, lower), std::vector<Wide>(flat.begin(), flat.end())) <
              allowed);
      }
    }
  }

  TEST_CASE_TEMPLATE("Cholesky says no to what isn't positive definite", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    Random random(3);
    for (const std::size_t n : {1U, 2U, 40U, 256U, 300U, 530U}) {
      for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
        CAPTURE(n);
        CAPTURE(at);
        for (const Real bad : {Real(0), Real(-1), std::numeric_limits<Real>::quiet_NaN(),
                               -std::numeric_limits<Real>::infinity()}) {
          CAPTURE(bad);
          Matrix<Real> a = positive<Real>(n, random);
          a(at, at) = bad;
          CHECK_FALSE(algebra.cholesky(a));
        }
      }
    }
    Matrix<Real> indefinite(2, 2);
    indefinite(0, 0) = indefinite(1, 1) = 1;
    indefinite(1, 0) = indefinite(0, 1) = 2;
    CHECK_FALSE(algebra.cholesky(indefinite));
  }

  TEST_CASE_TEMPLATE("symmetrize, diagonal, axpby, scale, dot, fill, copy", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    Random random(4);
    for (const std::size_t n : {0U, 1U, 5U, 63U, 64U, 65U, 130U, 500U}) {
      CAPTURE(n);
      Matrix<Real> a = Matrix<Real>::normal(n, n, random, 1);
      const Matrix<Real> before = a, diagonal = Matrix<Real>::normal(1, n, random);
      algebra.symmetrize(a);
      algebra.add_to_diagonal(diagonal, a);
      std::vector<Wide> want;
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          want.push_back((i >= j ? before(i, j) : before(j, i)) +
                         (i == j ? static_cast<Wide>(diagonal(0, i)) : 0));
        }
      }
      CHECK(error(a, want) < rounding<Real>);
      CHECK(a.padding_untouched());
    }
    for (const std::size_t rows : {0U, 1U, 3U, 1000U}) {
      for (const std::size_t cols : {0U, 1U, 7U, 200U}) {
        CAPTURE(rows);
        CAPTURE(cols);
        const auto x = Matrix<Real>::normal(rows, cols, random, 2);
        const auto start = Matrix<Real>::normal(rows, cols, random, 1);
        const auto scale = Matrix<Real>::normal(1, cols, random);
        Matrix<Real> y = start, replaced(rows, cols, 4), scaled = x, filled(rows, cols, 2),
                     copied(rows, cols, 1);
        algebra.axpby(2, x, Real(-0.5), y);
        algebra.axpby(2, x, 0, replaced);
        algebra.scale_columns(scale, scaled);
        algebra.fill(filled, 3);
        algebra.copy(x, copied);
        std::vector<Wide> sum, twice, columns, three(rows * cols, 3);
        Wide product = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < cols; ++j) {
            const Wide value = x(i, j);
            sum.push_back(2 * value - static_cast<Wide>(start(i, j)) / 2);
            twice.push_back(2 * value);
            columns.push_back(value * scale(0, j));
            product += value * start(i, j);
          }
        }
        CHECK(error(y, sum) < rounding<Real>);
        CHECK(error(replaced, twice) < rounding<Real>);
        CHECK(error(scaled, columns) < rounding<Real>);
        CHECK(error(filled, three) == 0);
        CHECK(identical(copied.flat(), x.flat()));
        for (const auto* m : {&y, &replaced, &scaled, &filled, &copied}) {
          CHECK(m->padding_untouched());
        }
        CHECK(error(std::vector{algebra.dot(x, start)}, std::vector{product}) < rounding<double>);
      }
    }
  }

  TEST_CASE_TEMPLATE("the same bits for 1, 2 and 3 threads", Real, float, double) {
    std::vector<std::vector<Real>> results;
    for (const int threads : {1, 2, 3}) {
      CpuAlgebra<Real> algebra(threads);
      Random random(5);
      const auto a = Matrix<Real>::normal(700, 90, random),
                 b = Matrix<Real>::normal(90, 601, random);
      Matrix<Real> c(700, 601), factor = positive<Real>(600, random),
                                solved = Matrix<Real>::normal(600, 2, random),
                                column = Matrix<Real>::normal(600, 1, random);
      algebra.multiply(1, a, Transpose::no, b, Transpose::no, 0, c);
      REQUIRE(algebra.cholesky(factor));
      algebra.cholesky_solve(factor, solved);
      algebra.cholesky_solve(factor, column);
      algebra.symmetrize(factor);
      std::vector<Real> all = c.flat();
      for (const auto* m : {&factor, &solved, &column}) {
        const std::vector<Real> flat = m->flat();
        all.insert(all.end(), flat.begin(), flat.end());
      }
      all.push_back(static_cast<Real>(algebra.dot(c, c)));
      results.push_back(std::move(all));
    }
    CHECK(identical(results[0], results[1]));
    CHECK(identical(results[0], results[2]));
  }
}
