// The dense operations of the CPU's algebra.
#include <doctest/doctest.h>

#include "checks/dense_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

TEST_SUITE("dense algebra") {
  TEST_CASE_TEMPLATE("multiply, in all four orientations", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_multiply<Real>(algebra);
  }

  TEST_CASE_TEMPLATE("Cholesky factor and solves", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_cholesky<Real>(algebra, {0, 1, 2, 17, 255, 256, 257, 530});
    check_ill_conditioned<Real>(algebra, 300);
  }

  TEST_CASE_TEMPLATE("Cholesky says no to what isn't positive definite", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_indefinite<Real>(algebra, {1, 2, 40, 256, 300, 530});
  }

  TEST_CASE_TEMPLATE("symmetrize, diagonal, axpby, scale, dot, fill, copy", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_symmetrize<Real>(algebra);
    check_elements<Real>(algebra);
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
