// M-FAC's dynamic algorithm against dense H.
#include "mfac/fisher_window.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "dense_window.hpp"

using namespace secondorder;
using namespace secondorder::test;
using mfac::FisherWindow;
using mfac::Normalize;

namespace {

/// 0 ≤ gᵀu < N and ‖u‖ ≤ √(N/λ) for u = H⁻¹g.
void check_bounds(const FisherWindow& window, const WideVector& g, const std::vector<float>& u) {
  const bool count = window.options().normalize == Normalize::count;
  const Wide n = static_cast<Wide>(count ? window.size() : window.options().capacity);
  Wide product = 0, size = 0;
  for (std::size_t j = 0; j < u.size(); ++j) {
    product += g[j] * u[j];
    size += Wide{u[j]} * u[j];
  }
  CHECK(product >= 0);
  CHECK(product < n * (1 + 1e-6));
  CHECK(std::sqrt(size) <= std::sqrt(n / window.damping()) * (1 + 1e-6));
}

}  // namespace

TEST_SUITE("Fisher window") {
  TEST_CASE(
      "the gradient just pushed: 1e-5 at scale 100 and damping 1e-5, while filling and full") {
    for (const Normalize normalize : {Normalize::count, Normalize::capacity}) {
      auto options = shape(90, 16, 1e-5);
      options.normalize = normalize;
      FisherWindow window(options);
      Random random(1);
      double worst = 0;
      for (int step = 0; step < 60; ++step) {
        const auto g = normal_floats(90, random, 100);
        const auto u = push_and_solve(window, g);
        worst = std::max(worst, distance(u, dense_fisher(window).solve(widened(g))));
        check_bounds(window, widened(g), u);
      }
      CHECK(worst <= 1e-6);
    }
  }

  TEST_CASE("more gradients than dimensions, duplicates, zeros, 1e-4 of the size: still 1e-5") {
    for (const Storage storage :
         {Storage::float32, Storage::bfloat16, Storage::float16, Storage::int8}) {
      CAPTURE(std::string(name(storage)));
      FisherWindow window(shape(24, 40, 1e-5, storage));
      Random random(2);
      std::vector<float> last = normal_floats(24, random, 100);
      double worst = 0;
      for (int step = 0; step < 150; ++step) {
        const double u = random.uniform();
        if (u < 0.1) {
          std::fill(last.begin(), last.end(), 0.0F);
        } else if (u > 0.3) {
          last = normal_floats(24, random, u < 0.45 ? 1e-2 : 100);
        }  // else again
        const auto solution = push_and_solve(window, last);
        const WideVector stored = stored_gradients(window).back();
        worst = std::max(worst, distance(solution, dense_fisher(window).solve(stored)));
        check_bounds(window, stored, solution);
      }
      // Two equal gradients have coefficients that cancel but for some 10⁻¹⁰ of them: int8 rows are
      // summed with 2⁻⁴⁴ of the largest.
      CHECK(worst <= (storage == Storage::int8 ? 1e-3 : 1e-5));
    }
  }

  TEST_CASE("gradients 10⁴ times as large, and as small") {
    for (const auto& [scale, damping] : {std::pair{1e4, 1e-5}, {1e-4, 1e-5}, {1e-4, 1e-12}}) {
      CAPTURE(scale);
      FisherWindow window(shape(60, 16, damping));
      Random random(3);
      for (int step = 0; step < 40; ++step) {
        const auto g = normal_floats(60, random, scale);
        const auto u = push_and_solve(window, g);
        CHECK(distance(u, dense_fisher(window).solve(widened(g))) <= 1e-5);
        check_bounds(window, widened(g), u);
      }
    }
  }

  TEST_CASE("a window of five rows in bfloat16, damping 1e-6: the rounded window's own answer") {
    Random random(3);
    FisherWindow window(shape(200, 64, 1e-6, Storage::bfloat16));
    const auto common = normal_floats(200, random, 1);
    for (int step = 0; step < 5; ++step) {
      auto g = normal_floats(200, random, 0.05);
      for (std::size_t j = 0; j < g.size(); ++j) g[j] += common[j];
      const auto u = push_and_solve(window, g);
      const auto want = dense_fisher(window).solve(stored_gradients(window).back());
      Wide product = 0, got_size = 0, want_size = 0;
      for (std::size_t j = 0; j < u.size(); ++j) {
        product += u[j] * want[j];
        got_size += Wide{u[j]} * u[j];
        want_size += want[j] * want[j];
      }
      CHECK(static_cast<double>(product / std::sqrt(got_size * want_size)) >= 0.999999);
    }
  }

  TEST_CASE("10⁴ steps: the factor stays that of the K that was gathered") {
    FisherWindow window(shape(30, 12, 1e-4));
    Random random(4);
    std::vector<float> last = normal_floats(30, random);
    for (int step = 0; step < 10'000; ++step) {
      const double u = random.uniform();
      if (u < 0.05) {
        std::fill(last.begin(), last.end(), 0.0F);
      } else if (u > 0.15) {
        last = normal_floats(30, random, u < 0.3 ? 1e-4 : 1);
      }
      window.push(host(last), {}, freely);
    }
    const auto stored = stored_gradients(window);
    const auto l = window.factor().triangle();
    Wide error = 0, size = 0;
    for (std::size_t i = 0; i < 12; ++i) {
      for (std::size_t j = 0; j < 12; ++j) {
        Wide k = 0, a = window.gram(i, j) + (i == j ? 12e-4L : 0), product = 0;
        for (std::size_t p = 0; p < 30; ++p) k += stored[i][p] * stored[j][p];
        CHECK(static_cast<double>(std::abs(k - window.gram(i, j))) <= 1e-13);
        for (std::size_t p = 0; p <= std::min(i, j); ++p) {
          product += Wide{l[i * (i + 1) / 2 + p]} * l[j * (j + 1) / 2 + p];
        }
        error += (product - a) * (product - a);
        size += a * a;
      }
    }
    CHECK(static_cast<double>(std::sqrt(error / size)) <= 1e-14);
  }

  TEST_CASE("any x, in float32 and float64, one and several; an empty window divides by damping") {
    for (const Storage storage : {Storage::float32, Storage::int8}) {
      FisherWindow window(shape(70, 9, 1e-3, storage));
      Random random(5);
      const auto single = normal_floats(70, random);
      std::vector<double> twofold;
      for (int j = 0; j < 70; ++j) twofold.push_back(random.normal());
      for (int step = 0; step < 14; ++step) {
        CAPTURE(step);
        check_both_precisions(window, single, twofold);
        window.push(host(normal_floats(70, random)), {}, freely);
      }
      window.solve({}, {}, freely);
    }
  }

  TEST_CASE("an x in the window in float64: the difference is taken before it is rounded") {
    FisherWindow window(shape(60, 4, 1e-6));
    Random random(6);
    const auto g = normal_floats(60, random, 10);
    const auto u = push_and_solve(window, g);
    CHECK(distance(solve(window, host(g)), widened(u)) < 1e-5);
  }
}
