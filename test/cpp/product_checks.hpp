// What the products with gated features and with cones are both asked to be: adjoint pairs, and the
// same bits for any number of threads.
#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <ostream>
#include <vector>

#include "algebra/algebra.hpp"
#include "test_support.hpp"

namespace secondorder {

/// Named in messages by its numbers.
inline std::ostream& operator<<(std::ostream& out, const GatedShape& s) {
  return out << s.rows << " samples of " << s.features << " features, " << s.gates << " gates, "
             << s.outputs << " outputs, " << s.sets << " sets";
}

namespace test {

/// Samples with random gates, and parameters.
template <class Real>
struct ProductInstance {
  GatedShape shape;
  Matrix<Real> x, u;
  Bits gates;

  ProductInstance(const GatedShape& s, Random& random)
      : shape(s),
        x(Matrix<Real>::normal(s.rows, s.features, random, s.rows % 3)),
        u(Matrix<Real>::normal(s.parameter_rows(), s.features, random)),
        gates(s.rows, s.gates, random) {}
};

/// ⟨image, r⟩ = ⟨u, g⟩ where image = A·u and g = Aᵀ·r, relative to the sizes of both.
template <class Real>
void check_adjoint(Algebra<Real>& algebra, ConstView<Real> image, ConstView<Real> r,
                   ConstView<Real> u, ConstView<Real> g) {
  const double forward = algebra.dot(image, r), adjoint = algebra.dot(u, g);
  const double size = 1 + std::sqrt(algebra.dot(image, image) * algebra.dot(r, r));
  CHECK(std::abs(forward - adjoint) < rounding<Real> * size);
}

/// check(algebra) for every table of kernels that this CPU runs.
template <class Real, class Check>
void for_every_kernel_table(const Check& check) {
  for (const std::string& table : kernel_names()) {
    CAPTURE(table);
    CpuAlgebra<Real> algebra(2, *kernels_named<Real>(table.c_str()));
    check(algebra);
  }
}

/// compute(algebra) gives vectors of numbers, and the same bits with 1, 2 and 3 threads.
template <class Real, class Compute>
void check_threads_agree(Compute compute) {
  CpuAlgebra<Real> single(1);
  const auto want = compute(single);
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    CpuAlgebra<Real> algebra(threads);
    const auto got = compute(algebra);
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
      CAPTURE(i);
      CHECK(identical(got[i], want[i]));
    }
  }
}

}  // namespace test
}  // namespace secondorder
