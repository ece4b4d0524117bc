// Gated features F·U = Σᵢ Dᵢ·X·Uᵢ, their transpose and kernels, against naive sums.
#include <doctest/doctest.h>

#include "product_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

struct Shape {
  std::size_t rows, features, gates, outputs;
};

/// Around words of gates (64), panels of columns and tiles of rows (512, 1024, 2048).
const std::vector<Shape> shapes = {
    {0, 3, 5, 1},    {1, 1, 1, 1},     {1, 5, 64, 2},   {7, 0, 3, 1},    {5, 2, 63, 3},
    {33, 7, 65, 1},  {64, 16, 64, 10}, {65, 3, 1, 2},   {513, 4, 65, 2}, {100, 70, 9, 3},
    {30, 600, 5, 2}, {1025, 9, 33, 1}, {4500, 3, 20, 2}};

template <class Real>
struct Instance {
  Shape shape;
  Matrix<Real> x, u, r;
  Bits gates;

  Instance(const Shape& s, Random& random)
      : shape(s),
        x(Matrix<Real>::normal(s.rows, s.features, random, s.rows % 3)),
        u(Matrix<Real>::normal(s.gates * s.outputs, s.features, random)),
        r(Matrix<Real>::normal(s.rows, s.outputs, random, 1)),
        gates(s.rows, s.gates, random) {}

  std::vector<Wide> forward() {
    const auto [n, d, P, c] = shape;
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
    const auto [n, d, P, c] = shape;
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
    const auto [n, d, P, c] = shape;
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
std::vector<Real> lower(const Matrix<Real>& a) {
  std::vector<Real> out;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) out.push_back(j <= i ? a(i, j) : Real(0));
  }
  return out;
}

}  // namespace

TEST_SUITE("gated products") {
  TEST_CASE_TEMPLATE("forward, adjoint and Gram matrix, every kernel table", Real, float, double) {
    for (const std::string& table : kernel_names()) {
      CpuAlgebra<Real> algebra(2, *kernels_named<Real>(table.c_str()));
      Random random(1);
      std::vector<Shape> all = shapes;
      for (int i = 0; i < 12; ++i) {
        all.push_back(
            {random.below(300), 1 + random.below(20), 1 + random.below(130), 1 + random.below(4)});
      }
      for (const Shape& s : all) {
        CAPTURE(table);
        CAPTURE(s.rows);
        CAPTURE(s.features);
        CAPTURE(s.gates);
        CAPTURE(s.outputs);
        Instance<Real> instance(s, random);
        Matrix<Real> out(s.rows, s.outputs, 2), g(s.gates * s.outputs, s.features);
        algebra.gated_forward(instance.x, instance.gates, instance.u, out);
        CHECK(error(out, instance.forward()) < rounding<Real>);
        CHECK(out.padding_untouched());
        algebra.gated_adjoint(instance.x, instance.gates, instance.r, g);
        CHECK(error(g, instance.adjoint()) < rounding<Real>);

        check_adjoint<Real>(algebra, out, instance.r, instance.u, g);

        const std::size_t unknowns = s.gates * s.features;
        if (unknowns * unknowns * s.rows > 4'000'000) continue;
        Matrix<Real> gram(unknowns, unknowns, 1);
        algebra.gated_gram(instance.x, instance.gates, gram);
        CHECK(error(lower(gram), instance.gram()) < rounding<Real>);
        CHECK(gram.padding_untouched());
      }
    }
  }

  TEST_CASE_TEMPLATE("no gates: the sum is zero", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    Random random(2);
    Instance<Real> instance({6, 3, 0, 2}, random);
    Matrix<Real> out(6, 2);
    algebra.gated_forward(instance.x, instance.gates, instance.u, out);
    CHECK(out.flat() == std::vector<Real>(12, 0));
  }

  TEST_CASE_TEMPLATE("gate kernel", Real, float, double) {
    for (const std::string& table : kernel_names()) {
      CpuAlgebra<Real> algebra(2, *kernels_named<Real>(table.c_str()));
      Random random(3);
      for (const std::size_t n : {0U, 1U, 5U, 64U, 65U, 300U}) {
        for (const std::size_t gates : {1U, 63U, 64U, 65U, 200U}) {
          CAPTURE(n);
          CAPTURE(gates);
          Bits bits(n, gates, random);
          Matrix<Real> m = Matrix<Real>::normal(n, n, random, 1);
          std::vector<Wide> want;
          for (std::size_t k = 0; k < n; ++k) {
            for (std::size_t l = 0; l < n; ++l) {
              Wide open = 0;
              for (std::size_t i = 0; l <= k && i < gates; ++i) open += bits.d(k, i) * bits.d(l, i);
              want.push_back(l > k ? 0 : (k == l ? Wide(0.25) : 0) + 2 * m(k, l) * open);
            }
          }
          algebra.gate_kernel(bits, 2, Real(0.25), m);
          CHECK(error(lower(m), want) < rounding<Real>);
          CHECK(m.padding_untouched());
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("the same bits for 1, 2 and 3 threads", Real, float, double) {
    for (const Shape s : {Shape{5000, 11, 65, 1}, {3000, 20, 40, 3}, {700, 70, 200, 2}}) {
      check_threads_agree<Real>([&](CpuAlgebra<Real>& algebra) {
        Random random(4);
        Instance<Real> instance(s, random);
        const std::size_t unknowns = std::min<std::size_t>(s.gates, 8) * s.features;
        Matrix<Real> out(s.rows, s.outputs), g(s.gates * s.outputs, s.features),
            gram(unknowns, unknowns), m = Matrix<Real>::normal(500, 500, random);
        algebra.gated_forward(instance.x, instance.gates, instance.u, out);
        algebra.gated_adjoint(instance.x, instance.gates, instance.r, g);
        Bits few(s.rows, std::min<std::size_t>(s.gates, 8), random);
        algebra.gated_gram(instance.x, few, gram);
        algebra.gate_kernel(instance.gates.view().block(0, 500), 2, 1, m);
        return std::vector{out.flat(), g.flat(), lower(gram), lower(m)};
      });
    }
  }
}
