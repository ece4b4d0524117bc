#include "algebra/philox.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

using secondorder::Philox;

namespace {

using Words = std::array<std::uint32_t, 4>;

/// Our counter is (index, stream), our key the seed, low words first.
Words words(Words counter, std::array<std::uint32_t, 2> key) {
  const auto join = [](std::uint32_t low, std::uint32_t high) {
    return (std::uint64_t{high} << 32) | low;
  };
  return Philox(join(key[0], key[1]), join(counter[2], counter[3]))
      .words(join(counter[0], counter[1]));
}

}  // namespace

TEST_SUITE("philox") {
  TEST_CASE("known answers of the Random123 distribution") {
    constexpr std::uint32_t ones = 0xffffffffU;
    CHECK(words({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U});
    CHECK(words({ones, ones, ones, ones}, {ones, ones}) ==
          Words{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU});
    CHECK(words({0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}, {0xa4093822U, 0x299f31d0U}) ==
          Words{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U});
  }

  TEST_CASE("uniform numbers: inside (0, 1), with the moments and bins of a uniform law") {
    const Philox random(7, 3);
    constexpr int count = 200000, bins = 20;
    double mean = 0, square = 0;
    std::array<int, bins> hits{};
    for (std::uint64_t i = 0; i < count; ++i) {
      const double u = random.uniform(i);
      REQUIRE(u > 0);
      REQUIRE(u < 1);
      mean += u / count;
      square += u * u / count;
      ++hits[static_cast<std::size_t>(u * bins)];
    }
    CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(1.0 / 12 / count));
    CHECK(std::abs(square - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / count));
    double chi = 0;
    for (const int hit : hits) chi += std::pow(hit - count / bins, 2) * bins / count;
    CHECK(chi < 50);  // 19 degrees of freedom: beyond 50 once in 10⁴
  }

  TEST_CASE("normal numbers: moments, tails, no neighbours that know of each other") {
    const Philox random(11, 5);
    constexpr int count = 200000;
    double first = 0, second = 0, third = 0, fourth = 0, neighbours = 0, last = 0;
    int beyond = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const double x = random.normal(i);
      REQUIRE(std::isfinite(x));
      first += x / count;
      second += x * x / count;
      third += x * x * x / count;
      fourth += x * x * x * x / count;
      neighbours += x * last / count;
      last = x;
      beyond += std::abs(x) > 1.959963985 ? 1 : 0;
    }
    const double unit = 1 / std::sqrt(count);
    CHECK(std::abs(first) < 5 * unit);
    CHECK(std::abs(second - 1) < 5 * std::sqrt(2.0) * unit);
    CHECK(std::abs(third) < 5 * std::sqrt(15.0) * unit);
    CHECK(std::abs(fourth - 3) < 5 * std::sqrt(96.0) * unit);
    CHECK(std::abs(neighbours) < 5 * unit);
    CHECK(std::abs(beyond - 0.05 * count) < 5 * std::sqrt(count * 0.05 * 0.95));
  }

  TEST_CASE("below() stays below its bound and reaches every value") {
    const Philox random(1, 2);
    for (const std::uint64_t bound : {1ULL, 2ULL, 3ULL, 10ULL, 1000ULL}) {
      std::set<std::uint64_t> seen;
      for (std::uint64_t i = 0; i < 20000; ++i) {
        const std::uint64_t value = random.below(i, bound);
        REQUIRE(value < bound);
        seen.insert(value);
      }
      CHECK(seen.size() == bound);
    }
    constexpr std::uint64_t huge = std::uint64_t{1} << 52;
    for (std::uint64_t i = 0; i < 1000; ++i) REQUIRE(random.below(i, huge) < huge);
  }

  TEST_CASE("seed, stream and index all matter, also beyond 32 bits") {
    const std::uint64_t high = std::uint64_t{1} << 32;
    std::set<Words> seen;
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, high}) {
      for (const std::uint64_t stream : {std::uint64_t{0}, std::uint64_t{1}, high}) {
        for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, high}) {
          seen.insert(Philox(seed, stream).words(index));
        }
      }
    }
    CHECK(seen.size() == 27);
    constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
    CHECK(Philox(last, last).words(last) == Philox(last, last).words(last));
  }
}
