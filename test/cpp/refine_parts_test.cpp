// The parts of gate refinement: objective and gradient, descent, merging, folding, pricing, and the
// convex program over signed gates.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "convex_relu/lbfgs.hpp"
#include "convex_relu/network_objective.hpp"
#include "convex_relu/pricing.hpp"
#include "convex_relu/signed_program.hpp"
#include "training_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

/// Random samples that an algebra sees in place.
struct Data {
  Matrix<double> x, y, weights;
  Samples<double> samples;

  Data(Loss loss, std::size_t n, std::size_t r, std::size_t c, bool weighted, Random& random)
      : x(Matrix<double>::normal(n, r, random)),
        y(Matrix<double>::normal(n, c, random)),
        weights(Matrix<double>::normal(n, 1, random)) {
    for (std::size_t k = 0; k < n; ++k) {
      weights(k, 0) = std::abs(weights(k, 0));
      const std::size_t chosen = random.below(c);
      for (std::size_t o = 0; o < c && loss != Loss::squared; ++o) {
        y(k, o) = loss == Loss::softmax ? (o == chosen ? 1 : 0) : random.label();
      }
    }
    samples = {loss, 0.7, 0, x.view(), y.view(), {}};
    if (loss == Loss::hinge) samples.smoothing = 0.2;
    if (weighted) samples.weights = weights.view();
  }
};

Neurons random_neurons(std::size_t count, std::size_t r, std::size_t c, Random& random) {
  std::vector<double> weights;
  for (std::size_t i = 0; i < count * (r + c); ++i) weights.push_back(random.normal());
  return neurons_of(weights, r, c);
}

/// Σⱼ bⱼ·relu(uⱼᵀx) of every sample, n × c.
std::vector<Wide> outputs_of(const Neurons& neurons, const Matrix<double>& x) {
  std::vector<Wide> outputs(x.rows() * neurons.outputs);
  for (std::size_t k = 0; k < x.rows(); ++k) {
    for (std::size_t j = 0; j < neurons.count(); ++j) {
      Wide z = 0;
      for (std::size_t l = 0; l < x.cols(); ++l) {
        z += static_cast<Wide>(x(k, l)) * neurons.direction(j)[l];
      }
      for (std::size_t o = 0; o < neurons.outputs; ++o) {
        outputs[k * neurons.outputs + o] += z > 0 ? z * neurons.output(j)[o] : 0;
      }
    }
  }
  return outputs;
}

double penalty_of(const Neurons& neurons) {
  const std::vector<double> sizes = neurons.sizes();
  return std::accumulate(sizes.begin(), sizes.end(), 0.0);
}

template <class Layout>
Arena planned(CpuAlgebra<double>& algebra, Layout lay_out) {
  Arena counting;
  lay_out(counting);
  return poisoned_arena<double>(algebra, counting.bytes());
}

}  // namespace

TEST_SUITE("gate refinement, its parts") {
  TEST_CASE("gradient of the objective against central differences") {
    CpuAlgebra<double> algebra(2);
    Random random(1);
    for (const Loss loss : all_losses) {
      for (const std::size_t outputs : {1U, 3U}) {
        if (loss == Loss::softmax && outputs == 1) continue;
        for (const std::size_t rows : {9U, 2500U}) {  // one block of activations, and two
          CAPTURE(static_cast<int>(loss));
          CAPTURE(outputs);
          CAPTURE(rows);
          const std::size_t m = 4, r = 3, width = r + outputs;
          Data data(loss, rows, r, outputs, rows == 9, random);
          Arena arena = planned(
              algebra, [&](Arena& a) { NetworkObjective<double>(algebra, a, data.samples, m); });
          const NetworkObjective<double> objective(algebra, arena, data.samples, m);
          auto weights = Matrix<double>::normal(m, width, random, 1);
          Matrix<double> gradient(m, width, 2), unused(m, width);
          const double value = objective(weights, gradient);
          CHECK(gradient.padding_untouched());
          double squares = 0;
          for (const double w : weights.flat()) squares += w * w;
          CHECK(value > 0.5 * data.samples.beta * squares);
          constexpr double step = 1e-5;
          for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t j = 0; j < width; ++j) {
              const double kept = weights(i, j);
              weights(i, j) = kept + step;
              const double up = objective(weights, unused);
              weights(i, j) = kept - step;
              const double down = objective(weights, unused);
              weights(i, j) = kept;
              const double slope = (up - down) / (2 * step);
              CHECK(gradient(i, j) ==
                    doctest::Approx(slope).epsilon(2e-3).scale(static_cast<double>(rows) / 100));
            }
          }
        }
      }
    }
  }

  TEST_CASE("descent: an ill-conditioned quadratic, Rosenbrock's valley, a function with kinks") {
    CpuAlgebra<double> algebra(1);
    const auto minimize = [&](std::vector<double> x, std::size_t steps, auto function) {
      const std::size_t n = x.size();
      Arena arena = planned(algebra, [&](Arena& a) { Lbfgs<double>(algebra, a, n, 1); });
      Lbfgs<double> lbfgs(algebra, arena, n, 1);
      algebra.upload(x, lbfgs.point(n));
      double last = std::numeric_limits<double>::infinity();
      const auto outcome =
          lbfgs.minimize(n, steps, [&](ConstView<double> at, View<double> gradient) {
            return function(at.data, gradient.data);
          });
      std::vector<double> gradient(n);
      last = function(lbfgs.point(n).data, gradient.data());
      CHECK(outcome.value == last);  // of the very point it leaves
      return last;
    };
    const auto quadratic = [](const double* x, double* g) {
      double value = 1;
      for (std::size_t i = 0; i < 50; ++i) {
        const double weight = std::pow(10.0, static_cast<double>(i) / 17);
        value += 0.5 * weight * x[i] * x[i];
        g[i] = weight * x[i];
      }
      return value;
    };
    CHECK(minimize(std::vector<double>(50, 1), 500, quadratic) < 1 + 1e-6);
    const auto valley = [](const double* x, double* g) {
      const double a = 1 - x[0], b = x[1] - x[0] * x[0];
      g[0] = -2 * a - 400 * x[0] * b;
      g[1] = 200 * b;
      return 1 + a * a + 100 * b * b;
    };
    CHECK(minimize({-1.2, 1}, 200, valley) < 1 + 1e-6);
    const auto kinks = [](const double* x, double* g) {  // Σ i·|xᵢ| + x²/100, 0 at 0
      double value = 1;
      for (std::size_t i = 0; i < 8; ++i) {
        const double weight = static_cast<double>(i + 1);
        value += weight * std::abs(x[i]) + 0.005 * x[i] * x[i];
        g[i] = (x[i] > 0 ? weight : -weight) + 0.01 * x[i];
      }
      return value;
    };
    CHECK(minimize({3, -1, 4, 1, -5, 9, 2, -6}, 400, kinks) < 1.01);
  }

  TEST_CASE("weights and neurons are the same network; balanced weights have its penalty") {
    Random random(2);
    for (const std::size_t outputs : {1U, 4U}) {
      const Neurons neurons = random_neurons(6, 3, outputs, random);
      const std::vector<double> weights = balanced_weights(neurons);
      double squares = 0;
      for (const double value : weights) squares += value * value;
      CHECK(0.5 * squares == doctest::Approx(penalty_of(neurons)).epsilon(1e-13));
      const auto x = Matrix<double>::normal(20, 3, random);
      CHECK(error(outputs_of(neurons_of(weights, 3, outputs), x), outputs_of(neurons, x)) < 1e-14);
      const std::vector<double> sizes = by_size(neurons).sizes();
      CHECK(std::is_sorted(sizes.rbegin(), sizes.rend()));
    }
    const std::vector<double> without_effect = {1, 2, 0, 0, 0, 3};
    CHECK(neurons_of(without_effect, 2, 1).count() == 0);
  }

  TEST_CASE("merging keeps predictions and does not raise the penalty") {
    CpuAlgebra<double> algebra(1);
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      Random random(seed);
      CAPTURE(seed);
      Data data(Loss::squared, 5, 2, 1, false, random);  // few patterns: at most ten
      const Neurons neurons = random_neurons(30, 2, 1, random);
      const auto with_pricing = [&](Arena& arena, auto use) {
        const NetworkObjective<double> network(algebra, arena, data.samples, 400);
        Pricing<double> pricing(algebra, arena, data.samples, network, 30, 0);
        use(pricing);
      };
      Arena arena = planned(algebra, [&](Arena& a) { with_pricing(a, [](auto&) {}); });
      with_pricing(arena, [&](Pricing<double>& pricing) {
        const Neurons merged = merge_equal(neurons, pricing.signed_patterns(neurons));
        CHECK(merged.count() < neurons.count());
        CHECK(error(outputs_of(merged, data.x), outputs_of(neurons, data.x)) < 1e-13);
        CHECK(penalty_of(merged) <= penalty_of(neurons) * (1 + 1e-14));
        const Neurons again = merge_equal(merged, pricing.signed_patterns(merged));
        CHECK(again.count() == merged.count());
      });
    }
  }

  TEST_CASE("folding: at most the width; neurons of one direction lose nothing") {
    CpuAlgebra<double> host(1);
    Random random(3);
    for (const std::size_t outputs : {1U, 3U}) {
      const Neurons few = by_size(random_neurons(5, 4, outputs, random));
      Neurons many = few;
      for (std::size_t j = 0; j < few.count(); ++j) {  // a tenth of each once more
        std::vector<double> tenth(few.direction(j).begin(), few.direction(j).end());
        for (double& value : tenth) value /= 10;
        many.append(tenth, few.output(j));
      }
      const Neurons folded = fold(many, 5, host);
      CHECK(folded.count() == 5);
      const auto x = Matrix<double>::normal(20, 4, random);
      CHECK(error(outputs_of(folded, x), outputs_of(many, x)) < 1e-13);
      CHECK(penalty_of(folded) == doctest::Approx(penalty_of(many)).epsilon(1e-13));
      CHECK(fold(few, 9, host).u == few.u);
    }
  }

  TEST_CASE("prices are true, distinct, and the greatest in the plane") {
    CpuAlgebra<double> algebra(1);
    for (const std::size_t outputs : {1U, 2U}) {
      for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(outputs);
        CAPTURE(seed);
        Random random(seed);
        Data data(Loss::squared, 40, 2, outputs, false, random);
        const auto nu = Matrix<double>::normal(40, outputs, random);
        const auto price = [&](double u, double v) {
          std::vector<double> q(outputs);
          for (std::size_t k = 0; k < 40; ++k) {
            const double z = std::max(0.0, u * data.x(k, 0) + v * data.x(k, 1));
            for (std::size_t o = 0; o < outputs; ++o) q[o] += z * nu(k, o);
          }
          return std::sqrt(std::inner_product(q.begin(), q.end(), q.begin(), 0.0));
        };
        const auto lay_out = [&](Arena& arena, auto use) {
          const NetworkObjective<double> network(algebra, arena, data.samples, 400);
          Pricing<double> pricing(algebra, arena, data.samples, network, 4, seed);
          use(pricing);
        };
        Arena arena = planned(algebra, [&](Arena& a) { lay_out(a, [](auto&) {}); });
        lay_out(arena, [&](Pricing<double>& pricing) {
          const Neurons known = random_neurons(4, 2, outputs, random);
          const Prices prices = pricing(known, nu.operator ConstView<double>(), 0.1, 50, 1);
          double greatest = 0;
          for (int i = 0; i < 100000; ++i) {
            const double angle = 2 * 3.14159265358979 * i / 100000;
            greatest = std::max(greatest, price(std::cos(angle), std::sin(angle)));
          }
          CHECK(prices.ratio * data.samples.beta <= greatest * (1 + 1e-6));
          CHECK(prices.ratio * data.samples.beta >= greatest * (1 - 1e-3));
          REQUIRE(prices.neurons.count() > 1);
          for (std::size_t i = 0; i < prices.neurons.count(); ++i) {
            const auto u = prices.neurons.direction(i);
            CHECK(price(u[0], u[1]) ==
                  doctest::Approx(prices.values[i] * data.samples.beta).epsilon(1e-9));
          }
          std::vector<std::uint64_t> patterns = pricing.signed_patterns(prices.neurons);
          std::sort(patterns.begin(), patterns.end());
          CHECK(std::adjacent_find(patterns.begin(), patterns.end()) == patterns.end());
        });
      }
    }
  }

  TEST_CASE("signed gates, each once with either sign, are the program of two sets") {
    CpuAlgebra<double> algebra(1);
    for (const Loss loss : {Loss::squared, Loss::logistic}) {
      for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
        CAPTURE(static_cast<int>(loss));
        CAPTURE(static_cast<int>(route));
        Random random(7);
        Data data(loss, 16, 3, 1, false, random);
        Data gate_directions(loss, 5, 3, 1, false, random);
        std::vector<double> eigenvalues;  // X with orthogonal columns, as programs have it
        for (std::size_t j = 0; j < 3; ++j) {
          for (std::size_t i = 0; i < j; ++i) {
            double along = 0, square = 0;
            for (std::size_t k = 0; k < 16; ++k) along += data.x(k, i) * data.x(k, j);
            for (std::size_t k = 0; k < 16; ++k) square += data.x(k, i) * data.x(k, i);
            for (std::size_t k = 0; k < 16; ++k) data.x(k, j) -= along / square * data.x(k, i);
          }
          double square = 0;
          for (std::size_t k = 0; k < 16; ++k) square += data.x(k, j) * data.x(k, j);
          eigenvalues.push_back(square);
        }
        const auto solve = [&](bool two_sets) {
          const std::size_t gates = two_sets ? 5 : 10, sets = two_sets ? 2 : 1;
          Matrix<double> u(gates, 3), signs(gates, 1);
          for (std::size_t i = 0; i < gates; ++i) {
            for (std::size_t l = 0; l < 3; ++l) u(i, l) = gate_directions.x(i % 5, l);
            signs(i, 0) = i < 5 ? 1 : -1;
          }
          Bits bits(16, gates, random);
          algebra.open_gates(data.x, u, bits);
          Program<double> program(GatedShape{16, 3, gates, 1, sets});
          program.loss = loss;
          program.beta = 0.7;
          program.eigenvalues = eigenvalues;
          program.x = data.x.view();
          program.y = data.y.view();
          program.gates = bits;
          program.signs = signs.view();
          program.signed_gates = !two_sets;
          Arena arena =
              planned(algebra, [&](Arena& a) { Admm<double>(algebra, a, program, route, 1.6); });
          Admm<double> admm(algebra, arena, program, route, 1.6);
          admm.start(1);
          for (int k = 0; k < 4000; ++k) admm.iterate();
          const View<double> v = admm.parameters();
          return std::vector<double>(v.data, v.data + v.size());
        };
        CHECK(error(solve(false), solve(true)) < 1e-7);
      }
    }
  }
}
