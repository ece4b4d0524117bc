// What the products with gated features F·U = Σᵢ Dᵢ·X·Uᵢ of every algebra have to give: naive sums.
#pragma once

#include <doctest/doctest.h>

#include "placed.hpp"
#include "product_checks.hpp"

namespace secondorder::test {

/// Around words of gates (64), panels of columns and tiles of rows (512, 1024, 2048).
inline const std::vector<GatedShape> gated_cases = {
    {0, 3, 5, 1},    {1, 1, 1, 1},     {1, 5, 64, 2},   {7, 0, 3, 1},    {5, 2, 63, 3},
    {33, 7, 65, 1},  {64, 16, 64, 10}, {65, 3, 1, 2},   {513, 4, 65, 2}, {100, 70, 9, 3},
    {30, 600, 5, 2}, {1025, 9, 33, 1}, {4500, 3, 20, 2}};

template <class Real>
struct GatedInstance : ProductInstance<Real> {
  using ProductInstance<Real>::shape, ProductInstance<Real>::x, ProductInstance<Real>::u,
      ProductInstance<Real>::gates;
  Matrix<Real> r;

  GatedInstance(const GatedShape& s, Random& random)
      : ProductInstance<Real>(s, random), r(Matrix<Real>::normal(s.rows, s.outputs, random, 1)) {}

  std::vector<Wide> forward() {
    const auto [n, d, P, c, sets] = shape;
    std::vector<Wide> out(n * c);
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < P; ++i) {
        if (gates.d(k, i) == 0) continue;
        for (std::size_t o = 0; o < c; ++o) {
          for (std::size_t j = 0; j < d; ++j) {
            out[k * c + o] += static_cast<Wide>(x(k, j)) * u(i * c + o, j);
          }
        }
      }
    }
    return out;
  }
  std::vector<Wide> adjoint() {
    const auto [n, d, P, c, sets] = shape;
    std::vector<Wide> out(P * c * d);
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < P; ++i) {
        if (gates.d(k, i) == 0) continue;
        for (std::size_t o = 0; o < c; ++o) {
          for (std::size_t j = 0; j < d; ++j) {
            out[(i * c + o) * d + j] += static_cast<Wide>(x(k, j)) * r(k, o);
          }
        }
      }
    }
    return out;
  }
  /// Lower triangle of FᵀF, NaN above.
  std::vector<Wide> gram() {
    const auto [n, d, P, c, sets] = shape;
    const std::size_t size = P * d;
    std::vector<Wide> out(size * size);
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < size; ++i) {
        if (gates.d(k, i / d) == 0) continue;
        for (std::size_t j = 0; j <= i; ++j) {
          out[i * size + j] += static_cast<Wide>(x(k, i % d)) * x(k, j % d) * gates.d(k, j / d);
        }
      }
    }
    return out;
  }
};

template <class Real>
std::vector<Real> lower_triangle(const Matrix<Real>& a) {
  std::vector<Real> out;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) out.push_back(j <= i ? a(i, j) : Real(0));
  }
  return out;
}

/// Forward, adjoint and Gram matrix, for `cases` and random ones.
template <class Real>
void check_gated_products(Algebra<Real>& algebra, std::vector<GatedShape> cases) {
  Random random(1);
  for (int i = 0; i < 12; ++i) {
    cases.push_back(
        {random.below(300), 1 + random.below(20), 1 + random.below(130), 1 + random.below(4)});
  }
  for (const GatedShape& s : cases) {
    CAPTURE(s);
    GatedInstance<Real> in(s, random);
    const Placed<Real> x(algebra, in.x), u(algebra, in.u), r(algebra, in.r),
        out(algebra, s.rows, s.outputs, 2), g(algebra, s.gates * s.outputs, s.features);
    const PlacedBits<Real> gates(algebra, in.gates);
    algebra.gated_forward(x, gates, u, out);
    check_close(out, in.forward(), rounding<Real>);
    algebra.gated_adjoint(x, gates, r, g);
    check_close(g, in.adjoint(), rounding<Real>);

    check_adjoint<Real>(algebra, out, r, u, g);

    const std::size_t unknowns = s.gates * s.features;
    if (unknowns * unknowns * s.rows > 4'000'000) continue;
    const Placed<Real> gram(algebra, unknowns, unknowns, 1);
    algebra.gated_gram(x, gates, gram);
    CHECK(error(lower_triangle(gram.back()), in.gram()) < rounding<Real>);
    CHECK(gram.back().padding_untouched());
  }
}

template <class Real>
void check_no_gates(Algebra<Real>& algebra) {
  Random random(2);
  GatedInstance<Real> in({6, 3, 0, 2}, random);
  const Placed<Real> x(algebra, in.x), u(algebra, in.u), out(algebra, 6, 2);
  algebra.gated_forward(x, PlacedBits<Real>(algebra, in.gates), u, out);
  CHECK(out.flat() == std::vector<Real>(12, 0));
}

template <class Real>
void check_gate_kernel(Algebra<Real>& algebra) {
  Random random(3);
  for (const std::size_t n : {0U, 1U, 5U, 64U, 65U, 300U}) {
    for (const std::size_t gates : {1U, 63U, 64U, 65U, 200U, 1100U}) {
      CAPTURE(n);
      CAPTURE(gates);
      Bits bits(n, gates, random);
      const Matrix<Real> before = Matrix<Real>::normal(n, n, random, 1);
      std::vector<Wide> want;
      for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t l = 0; l < n; ++l) {
          Wide open = 0;
          for (std::size_t i = 0; l <= k && i < gates; ++i) open += bits.d(k, i) * bits.d(l, i);
          want.push_back(l > k ? 0 : (k == l ? Wide(0.25) : 0) + 2 * before(k, l) * open);
        }
      }
      const Placed<Real> m(algebra, before);
      algebra.gate_kernel(PlacedBits<Real>(algebra, bits), 2, Real(0.25), m);
      CHECK(error(lower_triangle(m.back()), want) < rounding<Real>);
      CHECK(m.back().padding_untouched());
    }
  }
}

}  // namespace secondorder::test
