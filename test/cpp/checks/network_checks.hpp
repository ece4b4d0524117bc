// What every algebra has to do with the activations of two-layer networks, and with gradients of
// losses.
#pragma once

#include <doctest/doctest.h>

#include <cmath>

#include "algebra/loss.hpp"
#include "placed.hpp"

namespace secondorder::test {

template <class Real>
Wide row_product(const Matrix<Real>& a, std::size_t i, const Matrix<Real>& b, std::size_t j) {
  Wide sum = 0;
  for (std::size_t l = 0; l < a.cols(); ++l) sum += static_cast<Wide>(a(i, l)) * b(j, l);
  return sum;
}

template <class Real>
void check_backpropagation(Algebra<Real>& algebra) {
  Random random(1);
  for (const std::size_t rows : {0U, 1U, 7U, 700U}) {
    for (const std::size_t neurons : {1U, 5U, 64U, 129U}) {
      for (const std::size_t outputs : {1U, 3U}) {
        CAPTURE(rows);
        CAPTURE(neurons);
        CAPTURE(outputs);
        const auto z = Matrix<Real>::normal(rows, neurons, random, 1);
        const auto g = Matrix<Real>::normal(rows, outputs, random, 2);
        const auto a = Matrix<Real>::normal(neurons, outputs, random, 3);
        std::vector<Wide> rectified, passed;
        for (std::size_t k = 0; k < rows; ++k) {
          for (std::size_t j = 0; j < neurons; ++j) {
            rectified.push_back(z(k, j) > 0 ? z(k, j) : 0);
            passed.push_back(z(k, j) > 0 ? row_product(g, k, a, j) : 0);
          }
        }
        const Placed<Real> placed(algebra, z), back(algebra, g), out(algebra, a);
        algebra.rectify(placed);
        check_close(placed, rectified, 0);
        algebra.backpropagate(back, out, placed);
        check_close(placed, passed, rounding<Real>);
      }
    }
  }
}

template <class Real>
void check_row_scales(Algebra<Real>& algebra) {
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
    const Placed<Real> factors(algebra, scale), first(algebra, a), second(algebra, a);
    algebra.scale_rows(factors, first);
    check_close(first, scaled, rounding<Real>);
    algebra.normalize_rows(second);
    check_close(second, unit, rounding<Real>);
  }
}

/// open_gates, and the bits of it downloaded.
template <class Real>
void check_open_gates(Algebra<Real>& algebra) {
  Random random(3);
  for (const std::size_t rows : {0U, 1U, 600U}) {
    for (const std::size_t gates : {1U, 63U, 64U, 65U, 515U}) {
      CAPTURE(rows);
      CAPTURE(gates);
      const auto x = Matrix<Real>::normal(rows, 5, random, 1);
      auto u = Matrix<Real>::normal(gates, 5, random, 2);
      for (std::size_t j = 0; j < 5; ++j) u(0, j) = 0;  // on the boundary: open
      Bits bits(rows, gates, random);
      const PlacedBits<Real> placed(algebra, bits);
      algebra.open_gates(Placed<Real>(algebra, x), Placed<Real>(algebra, u), placed);
      const GateBits view = bits.view();
      algebra.download(placed, std::span(view.words, rows * view.stride()));
      std::size_t wrong = 0;
      for (std::size_t k = 0; k < rows; ++k) {
        for (std::size_t i = 0; i < gates; ++i) {
          const Wide product = row_product(x, k, u, i);
          const bool sure = i == 0 || std::abs(product) > 1e-5;
          if (sure && (bits.d(k, i) == 1) != (product >= 0)) ++wrong;
        }
      }
      CHECK(wrong == 0);
      const std::size_t past = gates % 64;
      for (std::size_t k = 0; past > 0 && k < rows; ++k) {
        CHECK((view.row(k)[view.stride() - 1] >> past) == 0);
      }
    }
  }
}

/// loss_gradient against loss_value and against differences of itself, in float64.
inline void check_loss_gradients(Algebra<double>& algebra) {
  Random random(4);
  constexpr double step = 1e-6, smoothing = 0.3;
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax}) {
    CAPTURE(static_cast<int>(loss));
    const std::size_t n = 1500, c = 3;
    const auto z = Matrix<double>::normal(n, c, random, 1);
    auto y = Matrix<double>::normal(n, c, random, 2);
    auto weights = Matrix<double>::normal(n, 1, random);
    double total = 0;
    for (std::size_t k = 0; k < n; ++k) {
      total += weights(k, 0) = std::abs(weights(k, 0));
      for (std::size_t o = 0; o < c; ++o) {
        if (loss == Loss::softmax) y(k, o) = std::abs(y(k, o));
        if (loss == Loss::logistic || loss == Loss::hinge) y(k, o) = random.label();
      }
    }
    const Placed<double> at(algebra, z), targets(algebra, y), weight(algebra, weights),
        g(algebra, n, c, 1), unused(algebra, n, c);
    const double value = algebra.loss_gradient(loss, smoothing, at, targets, weight, g);
    const double exact = algebra.loss_value(loss, at, targets, weight);
    if (loss == Loss::hinge) {
      CHECK(value <= exact);
      CHECK(value >= exact - 0.5 * smoothing * total * static_cast<double>(c));
    } else {
      CHECK(value == doctest::Approx(exact).epsilon(1e-12));
    }
    const Matrix<double> gradient = g.back();
    CHECK(gradient.padding_untouched());
    const auto direction = Matrix<double>::normal(n, c, random);
    double slope = 0;
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t o = 0; o < c; ++o) slope += gradient(k, o) * direction(k, o);
    }
    const auto moved = [&](double by) {
      Matrix<double> to = z;
      for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t o = 0; o < c; ++o) to(k, o) += by * direction(k, o);
      }
      const Placed<double> there(algebra, to);
      return algebra.loss_gradient(loss, smoothing, there, targets, weight, unused);
    };
    CHECK(slope == doctest::Approx((moved(step) - moved(-step)) / (2 * step)).epsilon(1e-5));
  }
}

}  // namespace secondorder::test
