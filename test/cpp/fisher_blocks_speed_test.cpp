// How much faster the static set-up is than row-by-row recursions in the same run. Skipped unless
// asked for, since other work on the machine disturbs it: core_test -ns -tc="*recursion*"
#include <doctest/doctest.h>

#include <chrono>
#include <limits>

#include "mfac/fisher_blocks.hpp"
#include "reference_recursion.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::mfac;
using namespace secondorder::test;

namespace {

template <class Body>
double seconds(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Best {
  double value = std::numeric_limits<double>::infinity();
  void take(double candidate) { value = std::min(value, candidate); }
};

}  // namespace

TEST_SUITE("fisher blocks speed") {
  TEST_CASE("set-up with diagonal against the recursion" * doctest::skip()) {
    constexpr std::size_t d = 16384, m = 512;
    constexpr double damping = 1e-3;
    Random random(1);
    std::vector<float> g(m * d);
    for (float& value : g) value = static_cast<float>(random.normal());
    RunControl control;
    ThreadPool pool(0);
    for (const std::size_t block : {128U, 512U, 1024U, 16384U}) {
      Best blocks, twofold, single;
      double worst = 0;
      for (int round = 0; round < 5; ++round) {
        FisherBlocksOptions options;
        options.dimension = d;
        options.block_size = block;
        options.damping = damping;
        FisherBlocks fisher(options);
        fisher.add(g, m);
        blocks.take(seconds([&] { fisher.factor(control); }));
        std::vector<double> diagonal;
        twofold.take(
            seconds([&] { diagonal = recursive_diagonal<double>(g, d, block, damping, pool); }));
        single.take(seconds(
            [&] { recursive_diagonal<float>(g, d, block, static_cast<float>(damping), pool); }));
        for (std::size_t i = 0; i < d; ++i) {
          worst = std::max(worst, std::abs(diagonal[i] / fisher.diagonal()[i] - 1));
        }
      }
      CHECK(worst < 1e-9);
      MESSAGE("d ", d, ", m ", m, ", B ", block, ": ", blocks.value * 1e3,
              " ms; recursion in float64 ", twofold.value / blocks.value, ", in float32 ",
              single.value / blocks.value, " times as long");
      if (block == 128) CHECK(twofold.value >= 10 * blocks.value);
    }
  }
}
