// The sliding Cholesky factor against L·Lᵀ in long double, over thousands of steps.
#include "mfac/sliding_factor.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <functional>

#include "algebra/cpu/row_window_kernels.hpp"
#include "dense_window.hpp"

using namespace secondorder;
using namespace secondorder::test;
using mfac::SlidingFactor;

namespace {

Wide product(const std::vector<double>& a, const std::vector<double>& b) {
  Wide sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += Wide{a[j]} * b[j];
  return sum;
}

/// A window of short gradients with its K, the oldest first, beside the factor under test.
class Slide {
 public:
  Slide(std::size_t capacity, double shift) : factor(capacity), shift_(shift) {}

  void push(std::vector<double> g) {
    if (window_.size() == factor.capacity()) window_.pop_front();
    window_.push_back(std::move(g));
    std::vector<double> row;
    for (const auto& other : window_) row.push_back(double(product(other, window_.back())));
    factor.propose_next(row, shift_);
    factor.accept();
  }

  /// ‖LLᵀ − A‖ / ‖A‖ in the Frobenius norm.
  double backward_error() const {
    const std::vector<double> l = factor.triangle();
    const auto at = [&](std::size_t i, std::size_t j) { return l[i * (i + 1) / 2 + j]; };
    Wide error = 0, size = 0;
    for (std::size_t i = 0; i < window_.size(); ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const Wide a = static_cast<double>(product(window_[i], window_[j])) + (i == j ? shift_ : 0);
        Wide sum = -a;
        for (std::size_t p = 0; p <= j; ++p) sum += Wide{at(i, p)} * at(j, p);
        const int weight = i == j ? 1 : 2;
        error += weight * sum * sum;
        size += weight * a * a;
      }
    }
    return static_cast<double>(std::sqrt(error / size));
  }

  std::vector<double> newest_solution() {
    std::vector<double> e(window_.size(), 0.0);
    e.back() = 1;
    factor.solve(e);
    return e;
  }

  SlidingFactor factor;

 private:
  double shift_;
  std::deque<std::vector<double>> window_;
};

std::vector<double> normal_doubles(std::size_t count, Random& random, double scale) {
  std::vector<double> values;
  for (std::size_t j = 0; j < count; ++j) values.push_back(scale * random.normal());
  return values;
}

}  // namespace

TEST_SUITE("sliding factor") {
  TEST_CASE("10⁴ replacements with zeros, duplicates and small gradients keep a tiny error") {
    for (const auto& [capacity, shift, scale] :
         {std::tuple{1UL, 1e-6, 1.0}, {5UL, 1e-5, 100.0}, {37UL, 1e-6, 1.0}, {64UL, 1e-1, 1.0}}) {
      CAPTURE(capacity);
      Random random(capacity);
      Slide slide(capacity, shift);
      std::vector<double> last = normal_doubles(40, random, scale);
      double worst = 0;
      for (int step = 0; step < 10'000; ++step) {
        const double u = random.uniform();
        if (u < 0.05) {
          slide.push(std::vector<double>(40, 0.0));
        } else if (u < 0.15) {
          auto near = last;
          for (double& value : near) value *= 1 + 1e-9;
          slide.push(near);
        } else if (u < 0.2) {
          slide.push(last);
        } else {
          last = normal_doubles(40, random, u < 0.4 ? 1e-4 * scale : scale);
          slide.push(last);
        }
        if (step % 500 == 499) worst = std::max(worst, slide.backward_error());
      }
      CHECK(worst <= 1e-14);
      CHECK(slide.factor.size() == capacity);
    }
  }

  TEST_CASE("a clamped pivot: singular K, with a shift that rounding swallows") {
    Slide slide(4, 1e-30);
    const std::vector<double> g = {1, 2, 3};
    for (int step = 0; step < 12; ++step) slide.push(g);
    for (const double value : slide.newest_solution()) CHECK(std::isfinite(value));
    CHECK(slide.backward_error() < 1e-14);
  }

  TEST_CASE("factoring anew gives the same factor as sliding, and takes what is not semidefinite") {
    Random random(2);
    Slide slide(20, 1e-3);
    std::vector<std::vector<double>> all;
    for (int step = 0; step < 50; ++step) {
      all.push_back(normal_doubles(30, random, 1));
      slide.push(all.back());
    }
    const auto slid = slide.factor.triangle();
    slide.factor.propose(20, 1e-3, [&](std::size_t i, std::size_t j) {
      return static_cast<double>(product(all[30 + i], all[30 + j]));
    });
    slide.factor.accept();
    CHECK(error(slide.factor.triangle(), std::vector<Wide>(slid.begin(), slid.end())) < 1e-13);

    SlidingFactor factor(3);
    const double indefinite[3][3] = {{1, 0, 0}, {1 + 1e-9, 1, 0}, {0, 0, 2}};
    factor.propose(3, 1e-12, [&](std::size_t i, std::size_t j) { return indefinite[i][j]; });
    factor.accept();
    for (const double value : factor.triangle()) CHECK(std::isfinite(value));
    CHECK(factor.triangle()[2] == doctest::Approx(1e-6));
  }

  TEST_CASE("proposals show only once they are accepted") {
    Random random(3);
    Slide slide(6, 1e-2);
    for (int step = 0; step < 9; ++step) slide.push(normal_doubles(8, random, 1));
    const auto before = slide.factor.triangle();
    slide.factor.propose_next(std::vector<double>{1, 2, 3, 4, 5, 90}, 1e-2);
    CHECK(slide.factor.triangle() == before);
    slide.factor.propose_next(std::vector<double>{0, 0, 0, 0, 0, 1}, 1e-2);
    std::vector<double> last(6);
    slide.factor.solve_last_proposed(last);
    CHECK(last[5] == doctest::Approx(1 / 1.01));
    slide.factor.accept();
    CHECK(slide.factor.triangle() != before);
  }

  TEST_CASE("solutions: one, many, and the last unit vector") {
    Random random(4);
    Slide slide(15, 1e-2);
    for (int step = 0; step < 33; ++step) slide.push(normal_doubles(20, random, 1));
    std::vector<double> many = normal_doubles(15 * 4, random, 1);
    many[14] = 1;
    std::fill_n(many.begin(), 14, 0.0);
    auto one_by_one = many;
    slide.factor.solve_many(many, 4);
    for (std::size_t v = 0; v < 4; ++v) {
      slide.factor.solve(std::span(one_by_one).subspan(v * 15, 15));
    }
    CHECK(error(many, std::vector<Wide>(one_by_one.begin(), one_by_one.end())) < 1e-13);
    CHECK(identical(std::vector<double>(one_by_one.begin(), one_by_one.begin() + 15),
                    slide.newest_solution()));
  }

  TEST_CASE("a factor that was saved is loaded bit by bit") {
    Random random(5);
    Slide slide(9, 1e-2);
    for (int step = 0; step < 14; ++step) slide.push(normal_doubles(20, random, 1));
    SlidingFactor copy(9);
    const auto saved = slide.factor.triangle();
    copy.load(9, saved);
    CHECK(identical(copy.triangle(), saved));
    copy.clear();
    CHECK(copy.size() == 0);
  }

  TEST_CASE("the update of every instruction set against its definition") {
    for (const char* name : {"portable", "avx2", "avx512"}) {
      const RowWindowKernels* kernels = row_window_kernels_named(name);
      if (kernels == nullptr) continue;
      CAPTURE(std::string(name));
      for (const std::size_t n : {0UL, 1UL, 2UL, 3UL, 4UL, 5UL, 8UL, 31UL, 66UL}) {
        Random random(n);
        constexpr std::size_t in = 70, out = 75;
        std::vector<double> l(in * in), updated(out * out, -7.0), x = normal_doubles(n, random, 1);
        for (std::size_t j = 0; j < n; ++j) {
          for (std::size_t i = j; i < n; ++i) l[j * in + i] = random.normal() + (i == j ? 5 : 0);
        }
        x.push_back(-7);
        auto work = x;
        kernels->update_factor(n, l.data(), in, work.data(), updated.data(), out);
        CHECK(work.back() == -7);
        double worst = 0;
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t j = 0; j <= i; ++j) {
            Wide sum = Wide{x[i]} * x[j];
            for (std::size_t p = 0; p <= j; ++p) {
              sum += Wide{l[p * in + i]} * l[p * in + j] -
                     Wide{updated[p * out + i]} * updated[p * out + j];
            }
            worst = std::max(worst, static_cast<double>(std::abs(sum)));
          }
          CHECK(updated[i * out + n] == -7);
          if (i > 0) CHECK(updated[i * out + i - 1] == -7);
        }
        CHECK(worst < 1e-12);
      }
    }
  }
}
