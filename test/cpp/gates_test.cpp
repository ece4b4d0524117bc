// Gates: distinct, open somewhere, the same for a seed whoever asks.
#include "convex_relu/gates.hpp"

#include <doctest/doctest.h>

#include <set>

#include "base/error.hpp"
#include "sample_data.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

struct Sample : SampleData {
  Preprocessing preprocessing;

  Sample(std::size_t n, std::size_t d, std::uint64_t seed) : Sample(n, d, Random(seed)) {}
  Gates gates(const Options& options, int threads = 1) const {
    HostAlgebra host(threads);
    return sample_gates(view(), preprocessing, options, host);
  }
  std::vector<std::uint64_t> patterns(const Gates& gates, const DataView& data) const {
    HostAlgebra host(1);
    return gate_patterns(data, preprocessing, gates, host);
  }

 private:
  Sample(std::size_t n, std::size_t d, Random&& random)
      : SampleData(n, d, random, [](Random& r, std::size_t) { return r.normal() + 1; }) {
    HostAlgebra host(1);
    preprocessing = fit_preprocessing(view(), Options{}, host);
  }
};

Options asking(GateSource source, std::size_t count, std::uint64_t seed = 0) {
  Options options;
  options.gate_source = source;
  options.gates = count;
  options.seed = seed;
  options.image_height = 6;
  options.image_width = 8;
  return options;
}

constexpr GateSource sources[] = {GateSource::gaussian, GateSource::data, GateSource::patches};

/// The pattern of each gate over all rows.
std::vector<std::vector<bool>> columns(std::vector<std::uint64_t> words, std::size_t rows,
                                       std::size_t count) {
  const GateBits bits{words.data(), rows, count};
  std::vector<std::vector<bool>> out(count, std::vector<bool>(rows));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < rows; ++k) out[i][k] = bits.test(k, i);
  }
  return out;
}

}  // namespace

TEST_SUITE("gates") {
  TEST_CASE("distinct, open somewhere, finite, the number asked for") {
    for (const GateSource source : sources) {
      for (const std::size_t n : {100U, 4500U}) {
        const Sample sample(n, 48, 1);
        const Gates gates = sample.gates(asking(source, 70));
        CHECK(gates.count == 70);
        CHECK(gates.width() == 49);
        for (const double value : gates.rows) REQUIRE(std::isfinite(value));
        std::set<std::vector<bool>> seen;
        for (auto& pattern : columns(sample.patterns(gates, sample.view()), n, gates.count)) {
          CHECK(std::count(pattern.begin(), pattern.end(), true) > 0);
          CHECK(seen.insert(pattern).second);
        }
      }
    }
  }

  TEST_CASE("patterns are [s, 1]·a ≥ 0, with bits past the last gate 0") {
    const Sample sample(33, 5, 2);
    const Gates gates = sample.gates(asking(GateSource::gaussian, 70));
    std::vector<std::uint64_t> words = sample.patterns(gates, sample.view());
    const GateBits bits{words.data(), 33, gates.count};
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < 33; ++k) {
      for (std::size_t i = 0; i < gates.count; ++i) {
        Wide value = gates.rows[i * 6 + 5];
        for (std::size_t j = 0; j < 5; ++j) {
          value += gates.rows[i * 6 + j] *
                   (sample.values[k * 5 + j] - sample.preprocessing.mean[j]) /
                   sample.preprocessing.scale[j];
        }
        wrong += bits.test(k, i) != (value >= 0) ? 1 : 0;
      }
      if (gates.count % 64 != 0) CHECK((bits.row(k)[gates.count / 64] >> (gates.count % 64)) == 0);
    }
    CHECK(wrong == 0);
  }

  TEST_CASE("few rows have few patterns: fewer gates, never repeated ones") {
    const Sample sample(3, 2, 3);
    for (const GateSource source : {GateSource::gaussian, GateSource::data}) {
      const Gates gates = sample.gates(asking(source, 64));
      CHECK(gates.count >= 1);
      CHECK(gates.count <= 7);
    }
    const Sample one(1, 1, 4);
    CHECK(one.gates(asking(GateSource::gaussian, 16)).count == 1);
    CHECK(one.gates(asking(GateSource::data, 16)).count == 1);
  }

  TEST_CASE("the same for any number of threads; another seed gives others") {
    const Sample sample(1500, 48, 5);
    for (const GateSource source : sources) {
      const Gates one = sample.gates(asking(source, 100), 1);
      CHECK(identical(one.rows, sample.gates(asking(source, 100), 2).rows));
      CHECK(identical(one.rows, sample.gates(asking(source, 100), 3).rows));
      CHECK_FALSE(identical(one.rows, sample.gates(asking(source, 100, 1), 1).rows));
    }
  }

  TEST_CASE("no bias, no bias in the gates") {
    const Sample sample(60, 48, 6);
    for (const GateSource source : sources) {
      Options options = asking(source, 20);
      options.bias = false;
      const Gates gates = sample.gates(options);
      for (std::size_t i = 0; i < gates.count; ++i) CHECK(gates.rows[i * 49 + 48] == 0);
    }
  }

  TEST_CASE("data gates open between a quarter and three quarters of the rows") {
    const Sample sample(400, 48, 7);
    for (const GateSource source : {GateSource::data, GateSource::patches}) {
      const Gates gates = sample.gates(asking(source, 50));
      for (auto& pattern : columns(sample.patterns(gates, sample.view()), 400, gates.count)) {
        const auto open = std::count(pattern.begin(), pattern.end(), true);
        CHECK(open >= 97);
        CHECK(open <= 303);
      }
    }
  }

  TEST_CASE("patches are square windows of the image") {
    for (const auto& [height, width] :
         {std::pair<std::size_t, std::size_t>{6, 8}, {28, 28}, {2, 3}, {1, 1}}) {
      const Sample sample(50, height * width, 8);
      Options options = asking(GateSource::patches, 30);
      options.image_height = height;
      options.image_width = width;
      const Gates gates = sample.gates(options);
      const double side = static_cast<double>(std::min(height, width));
      for (std::size_t i = 0; i < gates.count; ++i) {
        std::size_t top = height, bottom = 0, left = width, right = 0, inside = 0;
        for (std::size_t y = 0; y < height; ++y) {
          for (std::size_t x = 0; x < width; ++x) {
            if (gates.rows[i * (height * width + 1) + y * width + x] == 0) continue;
            top = std::min(top, y), bottom = std::max(bottom, y + 1);
            left = std::min(left, x), right = std::max(right, x + 1);
            ++inside;
          }
        }
        REQUIRE(inside > 0);
        CHECK(bottom - top == right - left);
        CHECK(inside == (bottom - top) * (right - left));
        CHECK(static_cast<double>(bottom - top) <= std::max(1.0, side * 16 / 28 + 0.5));
        CHECK(static_cast<double>(bottom - top) >= std::floor(side * 9 / 28));
      }
    }
  }

  TEST_CASE("given gates are kept in their order, only repeated and empty ones go") {
    const Sample sample(40, 3, 9);
    const std::vector<double> given{1, 2, 3, 0, -1, 0.5, 0, 2,  2, 4,
                                    6, 0, 0, 0, 0,  -1,  1, -1, 1, 0};
    Options options = asking(GateSource::given, 5);
    options.given_gates = given;
    options.given_columns = 4;
    const Gates gates = sample.gates(options);
    REQUIRE(gates.count == 3);  // the third repeats the first, the fourth is never open
    CHECK(gates.rows == std::vector<double>{1, 2, 3, 0, -1, 0.5, 0, 2, 1, -1, 1, 0});

    Options narrow = asking(GateSource::given, 2);
    const std::vector<double> without_bias{1, 2, 3, 3, -2, 1};
    narrow.given_gates = without_bias;
    narrow.given_columns = 3;
    CHECK(sample.gates(narrow).rows == std::vector<double>{1, 2, 3, 0, 3, -2, 1, 0});

    Gates more = gates;
    HostAlgebra host(1);
    append_gates(sample.view(), sample.preprocessing, {2, 4, 6, 0, 5, -1, 0, 0}, host, more);
    REQUIRE(more.count == 4);
    CHECK(std::equal(gates.rows.begin(), gates.rows.end(), more.rows.begin()));
    CHECK(more.rows[12] == 5);
  }

  TEST_CASE("gates that are never open are refused") {
    const Sample sample(10, 2, 10);
    const std::vector<double> closed{0, 0, -1};
    Options options = asking(GateSource::given, 1);
    options.given_gates = closed;
    options.given_columns = 3;
    try {
      sample.gates(options);
      FAIL("a gate that is never open was kept");
    } catch (const Error& e) {
      CHECK(e.code == ErrorCode::invalid_argument);
      CHECK(e.argument == "gates");
    }
  }

  TEST_CASE("a row has the same pattern alone as among all others") {
    const Sample sample(900, 48, 11);
    for (const GateSource source : sources) {
      const Gates gates = sample.gates(asking(source, 200));
      const std::vector<std::uint64_t> all = sample.patterns(gates, sample.view());
      const std::size_t stride = GateBits::words_per_row(gates.count);
      std::size_t different = 0;
      for (std::size_t k = 0; k < sample.rows; ++k) {
        DataView alone = sample.view();
        const std::vector<std::size_t> rows{k};
        alone.selected = rows;
        alone.rows = 1;
        const std::vector<std::uint64_t> words = sample.patterns(gates, alone);
        for (std::size_t w = 0; w < stride; ++w) {
          different +=
              static_cast<std::size_t>(__builtin_popcountll(words[w] ^ all[k * stride + w]));
        }
      }
      CAPTURE(static_cast<int>(source));
      CHECK(different == 0);
    }
  }
}
