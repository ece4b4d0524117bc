// Operations on activations of two-layer networks, and gradients of losses.
#include <doctest/doctest.h>

#include "algebra/loss.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

template <class Real>
Wide row_product(const Matrix<Real>& a, std::size_t i, const Matrix<Real>& b, std::size_t j) {
  Wide sum = 0;
  for (std::size_t l = 0; l < a.cols(); ++l) sum += static_cast<Wide>(a(i, l)) * b(j, l);
  return sum;
}

}  // namespace

TEST_SUITE("network products") {
  TEST_CASE_TEMPLATE("rectify and backpropagate, every kernel", Real, float, double) {
    for (const std::string& table : kernel_names()) {
      CpuAlgebra<Real> algebra(2, *kernels_named<Real>(table.c_str()));
      Random random(1);
      for (const std::size_t rows : {0U, 1U, 7U, 700U}) {
        for (const std::size_t neurons : {1U, 5U, 64U, 129U}) {
          for (const std::size_t outputs : {1U, 3U}) {
            CAPTURE(table);
            CAPTURE(rows);
            CAPTURE(neurons);
            CAPTURE(outputs);
            auto z = Matrix<Real>::normal(rows, neurons, random, 1);
            const auto g = Matrix<Real>::normal(rows, outputs, random, 2);
            const auto a = Matrix<Real>::normal(neurons, outputs, random, 3);
            std::vector<Wide> rectified, passed;
            for (std::size_t k = 0; k < rows; ++k) {
              for (std::size_t j = 0; j < neurons; ++j) {
                rectified.push_back(z(k, j) > 0 ? z(k, j) : 0);
                passed.push_back(z(k, j) > 0 ? row_product(g, k, a, j) : 0);
              }
            }
            algebra.rectify(z);
            CHECK(error(z, rectified) == 0);
            algebra.backpropagate(g, a, z);
            CHECK(error(z, passed) < rounding<Real>);
            CHECK(z.padding_untouched());
          }
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("rows scaled and normalized", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    Random random(2);
    for (const std::size_t rows : {0U, 1U, 40U, 3000U}) {
      auto a = Matrix<Real>::normal(rows, 11, random, 1);
      for (std::size_t j = 0; rows > 1 && j < 11; ++j) a(1, j) = 0;
      const auto scale = Matrix<Real>::normal(rows, 1, random, 2);
      std::vector<Wide> scaled, unit;
      for (std::size_t i = 0; i < rows; ++i) {
        const Wide norm = std::sqrt(row_product(a, i, a, i));
        for (std::size_t j = 0; j < 11; ++j) {
          scaled.push_back(static_cast<Wide>(scale(i, 0)) * a(i, j));
          unit.push_back(norm > 0 ? a(i, j) / norm : 0);
        }
      }
      auto b = a;
      algebra.scale_rows(scale, a);
      algebra.normalize_rows(b);
      CHECK(error(a, scaled) < rounding<Real>);
      CHECK(error(b, unit) < rounding<Real>);
      CHECK(a.padding_untouched());
      CHECK(b.padding_untouched());
    }
  }

  TEST_CASE_TEMPLATE("gates that directions open, downloaded", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    Random random(3);
    for (const std::size_t rows : {0U, 1U, 600U}) {
      for (const std::size_t gates : {1U, 63U, 64U, 65U, 515U}) {
        CAPTURE(rows);
        CAPTURE(gates);
        const auto x = Matrix<Real>::normal(rows, 5, random, 1);
        auto u = Matrix<Real>::normal(gates, 5, random, 2);
        for (std::size_t j = 0; j < 5; ++j) u(0, j) = 0;  // on the boundary: open
        Bits bits(rows, gates, random);
        algebra.open_gates(x, u, bits);
        std::size_t wrong = 0;
        for (std::size_t k = 0; k < rows; ++k) {
          for (std::size_t i = 0; i < gates; ++i) {
            const Wide product = row_product(x, k, u, i);
            const bool sure = i == 0 || std::abs(product) > 1e-5;
            if (sure && (bits.d(k, i) == 1) != (product >= 0)) ++wrong;
          }
        }
        CHECK(wrong == 0);
        const GateBits view = bits.view();
        std::vector<std::uint64_t> words(rows * view.stride());
        algebra.download(view, words);
        CHECK(std::equal(words.begin(), words.end(), view.words));
        const std::size_t past = gates % 64;
        for (std::size_t k = 0; past > 0 && k < rows; ++k) {
          CHECK((view.row(k)[view.stride() - 1] >> past) == 0);
        }
      }
    }
  }

  TEST_CASE("gradients of losses are their slopes") {
    CpuAlgebra<double> algebra(1);
    Random random(4);
    constexpr double step = 1e-6, smoothing = 0.3;
    for (const Loss loss : all_losses) {
      CAPTURE(static_cast<int>(loss));
      const std::size_t n = 1500, c = 3;
      auto z = Matrix<double>::normal(n, c, random, 1);
      auto y = Matrix<double>::normal(n, c, random, 2);
      const auto weights = [&] {
        auto w = Matrix<double>::normal(n, 1, random);
        for (std::size_t k = 0; k < n; ++k) w(k, 0) = std::abs(w(k, 0));
        return w;
      }();
      for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t o = 0; o < c; ++o) {
          if (loss == Loss::softmax) y(k, o) = std::abs(y(k, o));
          if (loss == Loss::logistic || loss == Loss::hinge) y(k, o) = random.label();
        }
      }
      Matrix<double> g(n, c, 1), unused(n, c);
      const double value = algebra.loss_gradient(loss, smoothing, z, y, weights, g);
      CHECK(g.padding_untouched());
      const double exact = algebra.loss_value(loss, z, y, weights);
      double total = 0;
      for (std::size_t k = 0; k < n; ++k) total += weights(k, 0);
      if (loss == Loss::hinge) {
        CHECK(value <= exact);
        CHECK(value >= exact - 0.5 * smoothing * total * static_cast<double>(c));
      } else {
        CHECK(value == doctest::Approx(exact).epsilon(1e-12));
      }
      double slope = 0;
      const auto direction = Matrix<double>::normal(n, c, random);
      for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t o = 0; o < c; ++o) slope += g(k, o) * direction(k, o);
      }
      const auto moved = [&](double by) {
        Matrix<double> at = z;
        for (std::size_t k = 0; k < n; ++k) {
          for (std::size_t o = 0; o < c; ++o) at(k, o) += by * direction(k, o);
        }
        return algebra.loss_gradient(loss, smoothing, at, y, weights, unused);
      };
      CHECK(slope == doctest::Approx((moved(step) - moved(-step)) / (2 * step)).epsilon(1e-5));
    }
  }
}
