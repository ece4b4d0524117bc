// The robust proximal steps against what defines them: a minimiser z of a t-strongly convex F has
// F(w) ≥ F(z) + t/2‖w − z‖² for every w, and only it; a projection onto a convex set has no point
// of the set on its far side. Tried at random points of every scale.
#include <doctest/doctest.h>

#include <numeric>

#include "algebra/cpu/cpu_robust.hpp"
#include "convex_relu/adversarial_update.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

constexpr double scales[] = {1e-5, 1e-3, 1e-1, 1, 10};

/// φ(q) by trying every corner of the box: the loss is convex in Δ.
double worst_loss(Loss loss, const std::vector<double>& x, const std::vector<double>& radius,
                  double y, const std::vector<double>& q) {
  double worst = 0;
  for (std::size_t corner = 0; corner < std::size_t{1} << x.size(); ++corner) {
    double output = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      output += (x[j] + ((corner >> j) & 1 ? radius[j] : -radius[j])) * q[j];
    }
    worst = std::max(worst, losses::value(loss, &output, &y, 1));
  }
  return worst;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

std::vector<double> normals(std::size_t count, Random& random, double scale = 1) {
  std::vector<double> values(count);
  for (double& value : values) value = scale * random.normal();
  return values;
}

}  // namespace

TEST_CASE("the worst loss over a box is that of its corners") {
  Random random(1);
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge}) {
    for (int trial = 0; trial < 50; ++trial) {
      const std::size_t f = 1 + random.below(5);
      const std::vector<double> x = normals(f, random), q = normals(f, random);
      std::vector<double> radius(f);
      for (double& r : radius) r = random.below(3) == 0 ? 0 : random.uniform();
      const double y = loss == Loss::squared ? random.normal() : random.label();
      double output = 0, spread = 0;
      for (std::size_t j = 0; j < f; ++j) {
        output += x[j] * q[j];
        spread += radius[j] * std::abs(q[j]);
      }
      CHECK(robust::value(loss, output, spread, y) ==
            doctest::Approx(worst_loss(loss, x, radius, y, q)).epsilon(1e-12));
    }
  }
}

TEST_CASE("the robust losses' proximal step is the minimiser") {
  Random random(2);
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge}) {
    for (int trial = 0; trial < 300; ++trial) {
      const std::size_t f = 1 + random.below(5);
      const double t = std::exp(2 * random.normal());
      const double y = loss == Loss::squared ? random.normal() : random.label();
      const std::vector<double> x = normals(f, random), a = normals(f, random, 2);
      std::vector<double> radius(f), z(f);
      for (double& r : radius) r = random.below(3) == 0 ? 0 : random.uniform();
      const robust::Sample<double> sample{x.data(), radius.data(), y, f};
      robust::loss_prox(loss, sample, a.data(), t, z.data());
      const auto value = [&](const std::vector<double>& w) {
        return worst_loss(loss, x, radius, y, w) + 0.5 * t * distance(w, a);
      };
      const double least = value(z);
      double missing = 0;
      for (int point = 0; point < 200; ++point) {
        const std::vector<double> step = normals(f, random, scales[point % 5]);
        std::vector<double> w(f);
        for (std::size_t j = 0; j < f; ++j) w[j] = z[j] + (random.below(3) == 0 ? 0 : step[j]);
        missing = std::max(missing, least + 0.5 * t * distance(w, z) - value(w));
      }
      CAPTURE(static_cast<int>(loss));
      CHECK(missing <= 1e-10 * (1 + least));
    }
  }
}

TEST_CASE("the multipliers of a robust loss lie in its conjugate's domain") {
  Random random(3);
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge}) {
    for (int trial = 0; trial < 200; ++trial) {
      const std::size_t f = 4;
      const double t = std::exp(random.normal()), y = random.label();
      const std::vector<double> x = normals(f, random), a = normals(f, random), radius(f, 0.3);
      std::vector<double> z(f);
      const robust::Sample<double> sample{x.data(), radius.data(), y, f};
      const robust::Multipliers m = robust::loss_prox(loss, sample, a.data(), t, z.data());
      CHECK(m.c >= std::abs(m.nu) - 1e-12);
      for (std::size_t j = 0; j < f; ++j) {
        const double shift = t * (a[j] - z[j]) - m.nu * x[j];
        CHECK(std::abs(shift) <= m.c * radius[j] + 1e-10);
      }
    }
  }
}

TEST_CASE("the robust cones' proximal step is the nearest point") {
  Random random(4);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t f = 1 + random.below(4), n = 1 + random.below(12);
    const double ratio = std::exp(random.normal());
    const std::vector<double> e0 = normals(f, random), s0 = normals(n, random);
    std::vector<double> radius(f), e(f), s(n);
    for (double& r : radius) r = random.below(4) == 0 ? 0 : random.uniform();
    robust::cone_prox(e0.data(), f, s0.data(), n, radius.data(), ratio, e.data(), s.data());
    const auto level = [&](const std::vector<double>& v) {
      double sum = 0;
      for (std::size_t j = 0; j < f; ++j) sum += radius[j] * std::abs(v[j]);
      return sum;
    };
    CHECK(*std::min_element(s.begin(), s.end()) >= level(e) - 1e-12);
    double far_side = 0;
    for (int point = 0; point < 100; ++point) {
      const double scale = scales[point % 5];
      std::vector<double> other_e(e), other_s(s);
      for (double& value : other_e) value += scale * random.normal();
      for (double& value : other_s)
        value = std::max(value + scale * random.normal(), level(other_e));
      double product = 0;
      for (std::size_t j = 0; j < f; ++j) product += (e0[j] - e[j]) * (other_e[j] - e[j]) / ratio;
      for (std::size_t k = 0; k < n; ++k) product += (s0[k] - s[k]) * (other_s[k] - s[k]);
      far_side = std::max(far_side, product);
    }
    CHECK(far_side <= 1e-10);
  }
}

TEST_CASE_TEMPLATE("operations on matrices equal plain loops, for any number of threads", Real,
                   float, double) {
  Random random(5);
  for (const auto& [n, f, count] : {std::tuple{0, 3, 1}, {1, 1, 1}, {37, 5, 7}, {130, 9, 33}}) {
    const auto rows = static_cast<std::size_t>(n), features = static_cast<std::size_t>(f);
    const std::size_t gates = static_cast<std::size_t>(count);
    auto x = Matrix<Real>::normal(rows, features, random), q = x, w = x;
    auto e0 = Matrix<Real>::normal(2 * gates, features, random);
    auto s0 = Matrix<Real>::normal(2 * gates, rows, random);
    Matrix<Real> y(rows, 1), weights(rows, 1), radius(1, features), d(gates, rows);
    for (std::size_t k = 0; k < rows; ++k) {
      y(k, 0) = static_cast<Real>(random.label());
      weights(k, 0) = static_cast<Real>(0.5 + random.uniform());
    }
    for (std::size_t j = 0; j < features; ++j) radius(0, j) = static_cast<Real>(random.uniform());
    for (std::size_t i = 0; i < gates; ++i) {
      for (std::size_t k = 0; k < rows; ++k) d(i, k) = static_cast<Real>(random.below(2));
    }
    std::vector<std::vector<Real>> answers[2];
    for (const int threads : {1, 3}) {
      CpuAlgebra<Real> algebra(threads);
      CpuRobustOperations<Real> operations(algebra);
      Matrix<Real> z(rows, features), e(2 * gates, features), s(2 * gates, rows);
      operations.robust_loss_prox(Loss::hinge, x, y, weights, radius, Real(0.7), q, z);
      operations.robust_cone_prox(radius, Real(2), e0, s0, e, s);
      const ConeSums sums = operations.robust_violation(radius, e0, s0);
      auto reflected = e, state = e0, signs = s0, divided = e;
      operations.reflect(Real(1.5), reflected, state);
      operations.apply_signs(d, signs);
      Matrix<Real> left = Matrix<Real>::normal(1, 2 * gates, random);
      for (std::size_t i = 0; i < 2 * gates; ++i) left(0, i) = static_cast<Real>(i);
      operations.divide_by_sums(left, radius, divided);
      for (std::size_t k = 0; k < rows; ++k) {
        std::vector<Real> want(features);
        robust::loss_prox(Loss::hinge,
                          robust::Sample<Real>{&x(k, 0), &radius(0, 0), double(y(k, 0)), features},
                          &q(k, 0), Real(0.7) / double(weights(k, 0)), want.data());
        for (std::size_t j = 0; j < features; ++j) CHECK(z(k, j) == want[j]);
      }
      Wide outside = 0, total = 0;
      for (std::size_t i = 0; i < 2 * gates; ++i) {
        Wide level = 0;
        for (std::size_t j = 0; j < features; ++j) {
          level += Wide(radius(0, j)) * std::abs(Wide(e0(i, j)));
          const auto close = [](Wide got, Wide want) {
            return std::abs(got - want) <= rounding<Real> * (1 + std::abs(want));
          };
          CHECK(close(reflected(i, j), 2 * Wide(e(i, j)) - e0(i, j)));
          CHECK(close(state(i, j), e0(i, j) - Wide(1.5) * e(i, j)));
          CHECK(close(divided(i, j), Wide(e(i, j)) / (Wide(i) + radius(0, j))));
        }
        for (std::size_t k = 0; k < rows; ++k) {
          CHECK(signs(i, k) == (d(i % gates, k) == 1 ? s0(i, k) : -s0(i, k)));
          const Wide missing = std::max<Wide>(level - s0(i, k), 0);
          outside += missing * missing;
          total += Wide(s0(i, k)) * s0(i, k);
        }
      }
      CHECK(sums.violation == doctest::Approx(static_cast<double>(outside)).epsilon(1e-6));
      CHECK(sums.total == doctest::Approx(static_cast<double>(total)).epsilon(1e-6));
      answers[threads == 1 ? 0 : 1] = {z.flat(), e.flat(), s.flat(), divided.flat()};
    }
    for (std::size_t i = 0; i < answers[0].size(); ++i) {
      CHECK(identical(answers[0][i], answers[1][i]));
    }
  }
}

TEST_CASE("the robust u-update equals a dense solve") {
  using namespace secondorder::convex_relu;
  Random random(6);
  for (const auto& [n, f, count] : {std::tuple{9, 3, 4}, {5, 4, 1}, {12, 2, 15}}) {
    const auto rows = static_cast<std::size_t>(n), features = static_cast<std::size_t>(f);
    const std::size_t gates = static_cast<std::size_t>(count), unknowns = gates * features;
    RobustData data;
    data.rows = rows;
    data.features = features;
    data.x = normals(rows * features, random);
    Bits bits(rows, gates, random);
    CpuAlgebra<double> algebra(2);
    HostAlgebra host(1);
    CpuRobustOperations<double> operations(algebra);
    const auto lay_out = [&](Arena& arena) {
      const RobustProgram<double> program(rows, features, gates, false, arena);
      return SylvesterUpdate<double>(algebra, operations, arena, program);
    };
    Arena counting;
    lay_out(counting);
    Arena arena = poisoned_arena<double>(algebra, counting.bytes());
    SylvesterUpdate<double> update = lay_out(arena);
    update.factor(data, bits, host);
    for (const double kappa : {0.01, 1.0, 30.0}) {
      update.set_weight(kappa);
      auto sum = Matrix<double>::normal(gates, features, random);
      auto difference = Matrix<double>::normal(gates, features, random);
      const std::vector<double> right_sum = sum.flat(), right_difference = difference.flat();
      update.solve(sum, difference);
      // Both systems over all unknowns at once, and their residuals in extended precision.
      Wide worst = 0, largest = 0;
      for (std::size_t row = 0; row < unknowns; ++row) {
        const std::size_t i = row / features, j = row % features;
        Wide sum_left = 0, difference_left = 0;
        for (std::size_t l = 0; l < features; ++l) {
          Wide b = j == l ? 1 + Wide(gamma_box) : 0;
          for (std::size_t k = 0; k < rows; ++k) {
            b += Wide(gamma_robust_cone) * data.x[k * features + j] * data.x[k * features + l];
          }
          sum_left += b * sum(i, l);
          difference_left += b * difference(i, l);
        }
        for (std::size_t h = 0; h < gates; ++h) {
          Wide both = 0;
          for (std::size_t k = 0; k < rows; ++k) both += bits.d(k, i) * bits.d(k, h);
          difference_left += 2 * Wide(kappa) * both * difference(h, j);
        }
        worst = std::max({worst, std::abs(sum_left - right_sum[row]),
                          std::abs(difference_left - right_difference[row])});
        largest = std::max({largest, std::abs(Wide(right_sum[row])), Wide(1)});
      }
      CHECK(worst / largest <= 1e-12);
    }
  }
}
