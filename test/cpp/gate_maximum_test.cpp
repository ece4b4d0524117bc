// The largest price of a neuron from above: branch and bound, and the relaxation, against brute
// force.
#include "convex_relu/gate_maximum.hpp"

#include <doctest/doctest.h>

#include "convex_relu/price_relaxation.hpp"
#include "price_reference.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

UnitSamples unit(const PriceCase& p) { return unit_samples(p.samples(), p.nu, p.outputs); }

GateMaximum search(const PriceCase& p, double tolerance, std::size_t nodes = 200'000,
                   int threads = 1) {
  HostAlgebra host(threads);
  GateSearch options;
  options.tolerance = tolerance;
  options.nodes = nodes;
  return maximize_gate(unit(p), options, host);
}

/// What long double itself may have lost in `largest`, for a comparison that allows nothing more.
Wide at_least(Wide largest) { return largest * (1 - 1e-16L); }

void check_search(const PriceCase& p, Wide largest) {
  for (const double tolerance : {1e-1, 1e-3, 1e-6}) {
    const GateMaximum m = search(p, tolerance);
    CAPTURE(p.rows);
    CAPTURE(p.cols);
    CAPTURE(tolerance);
    CAPTURE(m.nodes);
    CHECK(m.complete);
    CHECK(m.upper >= at_least(largest));
    CHECK(m.upper <= largest * (1 + 1.01L * tolerance) + 1e-11L * unit(p).scale);
    CHECK(m.lower <= largest * (1 + 1e-12L));
    CHECK(m.lower >= largest * (1 - 1.01L * tolerance) - 1e-11L * unit(p).scale);
  }
}

/// 1 for the largest price of all outputs with the neuron that has it.
void check_directions(const PriceCase& p, const GateMaximum& m) {
  REQUIRE(m.directions.size() == m.prices.size() * p.cols);
  for (std::size_t i = 0; i < m.prices.size(); ++i) {
    const auto from = m.directions.begin() + static_cast<std::ptrdiff_t>(i * p.cols);
    const std::vector<Wide> u(from, from + static_cast<std::ptrdiff_t>(p.cols));
    CHECK(static_cast<double>(price_of(p, u)) == doctest::Approx(m.prices[i]).epsilon(1e-10));
    if (i > 0) CHECK(m.prices[i] <= m.prices[i - 1]);
  }
  if (!m.prices.empty()) CHECK(m.prices[0] == m.lower);
}

}  // namespace

TEST_SUITE("largest price of a neuron") {
  TEST_CASE("branch and bound: the maximum over all patterns, within the tolerance") {
    Random random(1);
    for (std::size_t cols = 1; cols <= 3; ++cols) {
      for (const std::size_t rows : {1, 2, 5, 8, 10}) {
        for (int trial = 0; trial < (rows < 10 ? 3 : 1); ++trial) {
          const PriceCase p = random_price_case(rows, cols, 1, random);
          check_search(p, largest_price(p));
          check_directions(p, search(p, 1e-3));
        }
      }
    }
    const PriceCase p = random_price_case(7, 4, 1, random);
    check_search(p, largest_price(p));
  }

  TEST_CASE("branch and bound: awkward samples") {
    Random random(2);
    for (const std::size_t cols : {2, 3}) {
      for (const PriceCase& p : awkward_price_cases(7, cols, random)) {
        const Wide largest = largest_price(p);
        const GateMaximum m = search(p, 1e-3, 20'000);
        CAPTURE(cols);
        CAPTURE(p.x[0]);
        CAPTURE(m.nodes);
        CHECK(m.upper >= at_least(largest));
        CHECK(m.upper <= largest * (1 + 1.01e-3L) + 1e-10L * unit(p).scale);
        check_directions(p, m);
      }
    }
  }

  TEST_CASE("branch and bound: every stop is a bound, more nodes never give a worse one") {
    Random random(3);
    for (const std::size_t cols : {2, 3, 4, 5}) {
      const PriceCase p = random_price_case(40, cols, 1, random);
      const Wide sampled = sampled_price(p, 20'000, random);
      double last = std::numeric_limits<double>::infinity();
      for (const std::size_t nodes : {1, 64, 200, 1000, 5000, 20'000}) {
        const GateMaximum m = search(p, 1e-3, nodes);
        CHECK(m.upper >= sampled);
        CHECK(m.upper <= last * (1 + 1e-9));
        last = m.upper;
      }
      CHECK(last <= sampled * (cols < 5 ? 1.05 : 1.3));
    }
  }

  TEST_CASE("branch and bound: several outputs") {
    Random random(4);
    for (const std::size_t cols : {2, 3}) {
      for (const std::size_t outputs : {2, 3}) {
        const PriceCase p = random_price_case(12, cols, outputs, random);
        const GateMaximum m = search(p, 1e-2);
        const Wide sampled = sampled_price(p, 100'000, random);
        CHECK(m.complete);
        CHECK(m.upper >= sampled);
        CHECK(m.upper <= sampled * (cols == 2 ? 1.011 : 1.02));
        check_directions(p, m);
      }
    }
    // The same dual twice: √2 times the price of one.
    PriceCase one = random_price_case(9, 3, 1, random), two = one;
    two.outputs = 2;
    two.nu.clear();
    for (const double value : one.nu) two.nu.insert(two.nu.end(), {value, -value});
    const Wide largest = largest_price(one);
    const GateMaximum m = search(two, 1e-3);
    CHECK(m.upper >= std::sqrt(Wide{2}) * at_least(largest));
    CHECK(m.upper <= std::sqrt(Wide{2}) * largest * 1.0011L);
  }

  TEST_CASE("branch and bound: the same bits for any number of threads") {
    Random random(5);
    const PriceCase p = random_price_case(60, 4, 1, random);
    const GateMaximum one = search(p, 1e-2, 3000, 1), three = search(p, 1e-2, 3000, 3);
    CHECK(one.upper == three.upper);
    CHECK(one.lower == three.lower);
    CHECK(one.nodes == three.nodes);
    CHECK(identical(one.directions, three.directions));
  }

  TEST_CASE("branch and bound: what is enough, time and cancellation end it") {
    Random random(6);
    const PriceCase p = random_price_case(60, 4, 1, random);
    HostAlgebra host(2);
    GateSearch options;
    options.tolerance = 1e-6;
    options.nodes = 20'000;
    const double best = maximize_gate(unit(p), options, host).lower;
    options.enough = 3 * best;
    const GateMaximum easy = maximize_gate(unit(p), options, host);
    CHECK(easy.complete);
    CHECK(easy.upper <= options.enough);
    CHECK(easy.upper >= best);
    CHECK(easy.nodes < 200);

    options.enough = 0;
    RunControl late;
    late.time_limit = 0;
    const GateMaximum hurried = maximize_gate(unit(p), options, host, &late);
    CHECK_FALSE(hurried.complete);
    CHECK(hurried.upper >= best);

    RunControl cancelled;
    cancelled.cancel();
    host.watch(&cancelled);
    CHECK_THROWS_AS(maximize_gate(unit(p), options, host), Cancelled);
  }

  TEST_CASE("relaxation: above the maximum, for any multipliers") {
    Random random(7);
    HostAlgebra host(1);
    for (std::size_t cols = 1; cols <= 4; ++cols) {
      const PriceCase p = random_price_case(8, cols, 1, random);
      const Wide largest = largest_price(p);
      const UnitSamples samples = unit(p);
      double last = std::numeric_limits<double>::infinity();
      for (const std::size_t steps : {0, 3, 30, 200}) {
        const double bound = relaxed_price(samples, steps, host);
        CHECK(bound >= at_least(largest));
        CHECK(bound <= last * (1 + 1e-9));
        last = bound;
      }
      CHECK(last <= 2 * largest);
      for (int trial = 0; trial < 200; ++trial) {
        PriceMultipliers m;
        const double size = std::pow(10, 6 * random.uniform() - 3);
        for (std::size_t k = 0; k < samples.rows(); ++k) {
          m.curvature.push_back(std::exp(size * random.normal() / 10) * size);
          const double line = random.uniform();
          m.line.push_back(line);
          m.parabola.push_back((1 - line) * random.uniform());
        }
        const double positive = price_bound(samples, samples.weights, m, host);
        std::vector<double> opposite;
        for (const double weight : samples.weights) opposite.push_back(-weight);
        const double negative = price_bound(samples, opposite, m, host);
        CHECK(std::max(positive, negative) * samples.scale >= at_least(largest));
      }
    }
  }

  TEST_CASE("relaxation: awkward samples, several outputs, many dimensions") {
    Random random(8);
    HostAlgebra host(1);
    for (const PriceCase& p : awkward_price_cases(7, 3, random)) {
      CAPTURE(p.x[0]);
      CHECK(relaxed_price(unit(p), 50, host) >= at_least(largest_price(p)));
    }
    for (const std::size_t cols : {2, 12, 40}) {
      for (const std::size_t outputs : {1, 3}) {
        const PriceCase p = random_price_case(60, cols, outputs, random);
        const UnitSamples samples = unit(p);
        const double bound = relaxed_price(samples, 100, host);
        CHECK(bound >= sampled_price(p, 5000, random));
        CHECK(bound < 0.9 * samples.scale);  // better than no bound at all
        std::vector<double> u(cols), g(cols);
        for (double& entry : u) entry = random.normal();
        for (int step = 0; step < 50; ++step) {  // ascent finds far more than sampling
          samples.gradient(u, 1, g);
          double squares = 0;
          for (const double entry : g) squares += entry * entry;
          for (std::size_t j = 0; j < cols; ++j) u[j] = g[j] / std::sqrt(squares);
          CHECK(bound >= samples.price(u, 1) * samples.scale);
        }
      }
    }
  }
}
