// The losses: conjugates by numerical maximization, proximal points by their optimality conditions.
#include <doctest/doctest.h>

#include <numeric>

#include "algebra/loss.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

std::vector<double> target(Loss loss, std::size_t c, Random& random, bool one_hot = false) {
  std::vector<double> y(c);
  if (loss == Loss::softmax && (one_hot || random.below(2) == 0)) {
    y[random.below(c)] = 1;
  } else if (loss == Loss::softmax) {
    double mass = 0;
    for (double& value : y) mass += value = random.uniform();
    for (double& value : y) value /= mass;
  } else {
    for (double& value : y) value = loss == Loss::squared ? random.normal() : random.label();
  }
  return y;
}

/// The gradient of a smooth loss in extended precision.
std::vector<Wide> gradient(Loss loss, const std::vector<Wide>& z, const std::vector<double>& y) {
  std::vector<Wide> g(z.size());
  const Wide mass = std::accumulate(y.begin(), y.end(), Wide(0));
  Wide top = z[0], total = 0;
  for (const Wide value : z) top = std::max(top, value);
  for (const Wide value : z) total += std::exp(value - top);
  for (std::size_t o = 0; o < z.size(); ++o) {
    if (loss == Loss::squared) g[o] = z[o] - y[o];
    if (loss == Loss::logistic) g[o] = -y[o] / (1 + std::exp(y[o] * z[o]));
    if (loss == Loss::softmax) g[o] = mass * std::exp(z[o] - top) / total - y[o];
  }
  return g;
}

/// A point inside the domain of the conjugate.
std::vector<double> dual_point(Loss loss, const std::vector<double>& y, Random& random) {
  std::vector<double> nu(y.size());
  for (double& value : nu) value = random.normal();
  losses::project_dual(loss, nu.data(), y.data(), y.size());
  return nu;
}

/// How far z is from argmin ℓ(·, y) + t/2‖· − q‖², as the norm of what is left of 0 ∈ ∂ over the
/// size of its terms; for float, z is only known up to its own rounding.
template <class Real>
double prox_residual(Loss loss, const std::vector<Real>& q, const std::vector<double>& y, double t,
                     const std::vector<Real>& z) {
  double worst = 0;
  const Wide unit = std::numeric_limits<Real>::epsilon();
  const std::vector<Wide> wide(z.begin(), z.end());
  const std::vector<Wide> g = gradient(loss, wide, y);
  for (std::size_t o = 0; o < z.size(); ++o) {
    const Wide pull = t * (static_cast<Wide>(q[o]) - z[o]);  // in the subdifferential at z
    // z and q rounded to Real move the pull by t·eps·|z| and the slope by its curvature times that
    const Wide largest = std::max({std::abs(wide[o]), std::abs(static_cast<Wide>(q[o])), Wide(1)});
    const Wide allowed = 16 * unit * (t + 1) * largest + 1e-13L;
    Wide miss = std::abs(pull - g[o]);
    if (loss == Loss::hinge) {
      const Wide margin = 1 - y[o] * wide[o], share = -y[o] * pull;
      const bool kink = std::abs(margin) <= 4 * unit * largest;
      const Wide low = margin > 0 && !kink ? 1 : 0, high = margin < 0 && !kink ? 0 : 1;
      miss = std::max({low - share, share - high, Wide(0)});
    }
    worst = std::max(worst, static_cast<double>(miss / allowed));
  }
  return worst;
}

template <class Real>
void check_prox(Loss loss, const std::vector<Real>& q, const std::vector<double>& y, double t) {
  const std::size_t c = q.size();
  const std::vector<Real> narrow(y.begin(), y.end());
  std::vector<Real> z(c, std::numeric_limits<Real>::quiet_NaN());
  std::vector<double> work(2 * c);
  losses::prox(loss, q.data(), narrow.data(), t, c, z.data(), work.data());
  CAPTURE(static_cast<int>(loss));
  CAPTURE(t);
  CAPTURE(c);
  CAPTURE(q[0]);
  CAPTURE(q[c - 1]);
  CAPTURE(y[0]);
  CAPTURE(z[0]);
  CAPTURE(z[c - 1]);
  for (const Real value : z) REQUIRE(std::isfinite(value));
  const std::vector<double> exact(narrow.begin(), narrow.end());
  CHECK(prox_residual(loss, q, exact, t, z) <= 1);
}

}  // namespace

TEST_SUITE("losses") {
  TEST_CASE("values at points worked by hand") {
    const double two[] = {2.0, -1.0}, signs[] = {1.0, -1.0}, first[] = {1.0, 0.0};
    CHECK(losses::value(Loss::squared, two, first, 2) == doctest::Approx(1.0));
    CHECK(losses::value(Loss::hinge, two, signs, 2) == doctest::Approx(0.0));
    const double half[] = {0.5, 0.5};
    CHECK(losses::value(Loss::hinge, half, signs, 2) == doctest::Approx(2.0));
    const double zero[] = {0.0, 0.0};
    CHECK(losses::value(Loss::logistic, zero, signs, 2) == doctest::Approx(2 * std::log(2.0)));
    CHECK(losses::value(Loss::softmax, zero, first, 2) == doctest::Approx(std::log(2.0)));
    CHECK(losses::value(Loss::softmax, two, first, 2) == doctest::Approx(std::log1p(std::exp(-3))));
  }

  TEST_CASE("the conjugate is the supremum of νz − ℓ(z), and Fenchel and Young meet at ∇ℓ") {
    Random random(1);
    for (const Loss loss : all_losses) {
      for (int trial = 0; trial < 200; ++trial) {
        const std::size_t c = loss == Loss::softmax ? 2 + random.below(4) : 1 + random.below(3);
        const std::vector<double> y = target(loss, c, random);
        CAPTURE(static_cast<int>(loss));
        const std::vector<double> nu = dual_point(loss, y, random);
        const double conjugate = losses::conjugate(loss, nu.data(), y.data(), c);
        REQUIRE(std::isfinite(conjugate));
        std::vector<double> z(c), best(c, 0.0);
        double supremum = -losses::value(loss, z.data(), y.data(), c), spread = 30;
        for (int step = 0; step < 4000;
             ++step) {  // a shrinking random search from 0, one coordinate at a time
          z = best;
          z[random.below(c)] += spread * random.normal();
          double value = -losses::value(loss, z.data(), y.data(), c);
          for (std::size_t o = 0; o < c; ++o) value += nu[o] * z[o];
          REQUIRE(value <= conjugate + 1e-9);
          if (value > supremum) {
            supremum = value;
            best = z;
          } else {
            spread = std::max(0.997 * spread, 1e-3);
          }
        }
        CHECK(supremum == doctest::Approx(conjugate).epsilon(0.02).scale(1));

        if (loss == Loss::hinge) continue;  // ℓ(z) + ℓ*(∇ℓ(z)) = z·∇ℓ(z)
        for (std::size_t o = 0; o < c; ++o) z[o] = 3 * random.normal();
        const std::vector<Wide> g = gradient(loss, {z.begin(), z.end()}, y);
        std::vector<double> slope(g.begin(), g.end());
        double product = 0;
        for (std::size_t o = 0; o < c; ++o) product += z[o] * slope[o];
        CHECK(losses::value(loss, z.data(), y.data(), c) +
                  losses::conjugate(loss, slope.data(), y.data(), c) ==
              doctest::Approx(product).epsilon(1e-10).scale(1));
      }
    }
  }

  TEST_CASE("project_dual lands in the domain, and leaves what is there alone") {
    Random random(2);
    for (const Loss loss : all_losses) {
      for (int trial = 0; trial < 500; ++trial) {
        const std::size_t c = 1 + random.below(5);
        const std::vector<double> y = target(loss, c, random);
        std::vector<double> nu(c);
        const double size = std::pow(10, 6 * random.uniform() - 3);
        for (double& value : nu) value = trial % 50 == 0 ? 0 : size * random.normal();
        losses::project_dual(loss, nu.data(), y.data(), c);
        double mass = 0;
        for (std::size_t o = 0; o < c; ++o) {
          REQUIRE(std::isfinite(nu[o]));
          mass += nu[o];
          if (loss == Loss::logistic || loss == Loss::hinge) {
            CHECK(-y[o] * nu[o] >= 0);
            CHECK(-y[o] * nu[o] <= 1);
          }
          if (loss == Loss::softmax) CHECK(nu[o] + y[o] >= 0);
        }
        if (loss == Loss::softmax) CHECK(std::abs(mass) < 1e-14);
        REQUIRE(std::isfinite(losses::conjugate(loss, nu.data(), y.data(), c)));
        std::vector<double> again = nu;
        losses::project_dual(loss, again.data(), y.data(), c);
        CHECK(error(again, nu) < 1e-15);
      }
    }
  }

  TEST_CASE_TEMPLATE("proximal points satisfy their optimality conditions", Real, float, double) {
    Random random(3);
    for (const Loss loss : all_losses) {
      for (const double t : {1e-6, 1e-3, 0.05, 0.7, 1.0, 30.0, 1e4, 1e8}) {
        for (const double size : {0.1, 1.0, 10.0, 100.0}) {
          for (int trial = 0; trial < 20; ++trial) {
            const std::size_t c = loss == Loss::softmax ? 2 + random.below(4) : 1 + random.below(3);
            std::vector<Real> q;
            for (std::size_t o = 0; o < c; ++o)
              q.push_back(static_cast<Real>(size * random.normal()));
            check_prox(loss, q, target(loss, c, random, true), t);
          }
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("and so do extreme ones", Real, float, double) {
    Random random(4);
    for (const Loss loss : all_losses) {
      for (const double t : {1e-6, 1.0, 1e6}) {
        for (const double a : {-1e6, -1e3, 0.0, 1e3, 1e6}) {
          for (const double b : {-1e6, 0.0, 40.0, 1e6}) {
            const std::vector<Real> q{static_cast<Real>(a), static_cast<Real>(b)};
            check_prox(loss, q, target(loss, 2, random, true), t);
          }
        }
      }
    }
  }

  TEST_CASE("no finite argument gives a NaN") {
    for (const Loss loss : all_losses) {
      for (const double z : {-1e300, -1e6, -1.0, 0.0, 1.0, 1e6, 1e300}) {
        for (const double other : {-1e300, 0.0, 1e300}) {
          const double row[] = {z, other}, y[] = {1.0, loss == Loss::softmax ? 0.0 : -1.0};
          CHECK_FALSE(std::isnan(losses::value(loss, row, y, 2)));
          for (const double t : {1e-12, 1.0, 1e6}) {
            double out[2], work[4];
            losses::prox(loss, row, y, t, 2, out, work);
            CAPTURE(static_cast<int>(loss));
            CAPTURE(z);
            CAPTURE(other);
            CAPTURE(t);
            CHECK(std::isfinite(out[0]));
            CHECK(std::isfinite(out[1]));
          }
          double nu[] = {z, other};
          losses::project_dual(loss, nu, y, 2);
          CHECK_FALSE(std::isnan(losses::conjugate(loss, nu, y, 2)));
        }
      }
    }
  }
}
