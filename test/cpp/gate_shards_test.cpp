// Gates cut into shards.
#include "convex_relu/gate_shards.hpp"

#include <doctest/doctest.h>

#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

TEST_SUITE("gate shards") {
  TEST_CASE("ranges follow one another, are of nearly equal size, and never empty") {
    for (std::size_t gates = 1; gates < 20; ++gates) {
      for (std::size_t shards = 1; shards < 9; ++shards) {
        const std::vector<GateRange> ranges = cut_gates(gates, shards);
        CHECK(ranges.size() == std::min(gates, shards));
        std::size_t first = 0;
        for (const GateRange& range : ranges) {
          CHECK(range.first == first);
          CHECK(range.count > 0);
          CHECK(range.count <= ranges.front().count);
          CHECK(range.count + 1 >= ranges.front().count);
          first += range.count;
        }
        CHECK(first == gates);
      }
    }
    CHECK(cut_gates(0, 3).size() == 1);
  }

  TEST_CASE("bits of a range are those of its gates, and nothing after them") {
    Random random(1);
    for (const std::size_t gates : {1U, 63U, 64U, 65U, 130U, 256U}) {
      Bits bits(9, gates, random);
      for (std::size_t shards = 1; shards <= 5; ++shards) {
        for (const GateRange& range : cut_gates(gates, shards)) {
          std::vector<std::uint64_t> words = cut_bits(bits, range);
          const GateBits cut{words.data(), 9, range.count};
          REQUIRE(words.size() == 9 * cut.stride());
          for (std::size_t k = 0; k < 9; ++k) {
            for (std::size_t i = 0; i < 64 * cut.stride(); ++i) {
              const bool open = i < range.count && bits.view().test(k, range.first + i);
              CHECK(cut.test(k, i) == open);
            }
          }
        }
      }
    }
  }

  TEST_CASE("runs of a range cover its items of each set once") {
    const GatedShape whole{1, 1, 11, 3, 2};
    std::vector<int> covered(whole.parameter_rows());
    for (const GateRange& range : cut_gates(whole.gates, 4)) {
      std::size_t next = 0;
      for_each_run(whole, range, whole.outputs,
                   [&](std::size_t in_whole, std::size_t in_shard, std::size_t count) {
                     CHECK(in_shard == next);
                     next += count;
                     for (std::size_t i = 0; i < count; ++i) ++covered[in_whole + i];
                   });
      CHECK(next == shape_of_shard(whole, range).parameter_rows());
    }
    CHECK(std::ranges::all_of(covered, [](int times) { return times == 1; }));
  }
}
