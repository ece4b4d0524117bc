// What a window of rows must do besides its passes, wherever `make` puts it: rounding, slices,
// bytes, and what it refuses.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "row_window_pass_checks.hpp"

namespace secondorder::test {

/// float32 keeps, the others stay within their half unit; nothing overflows.
inline void check_rounding(const MakeRowWindow& make) {
  Random random(5);
  auto g = normal_floats(1500, random);
  g[0] = 3.4e38F;
  g[1] = -3.4e38F;
  g[1200] = 1e-30F;
  const std::map<Storage, double> bound = {
      {Storage::float32, 0}, {Storage::bfloat16, 0x1p-8}, {Storage::float16, 0x1p-11}};
  for (const Storage storage : storages) {
    CAPTURE(std::string(name(storage)));
    const auto window = make({1, 1500, storage, {}});
    window->propose(host(g), 0);
    window->accept(0);
    std::vector<double> row(1500);
    window->read_row(0, row);
    // The second block, whose largest value is an ordinary one.
    double largest = 0;
    for (std::size_t j = 1024; j < 1500; ++j) largest = std::max(largest, std::abs(double{g[j]}));
    for (std::size_t j = 1024; j < 1500; ++j) {
      const double error = std::abs(row[j] - double{g[j]}), size = std::abs(double{g[j]});
      if (storage == Storage::int8) {
        CHECK(error <= largest / 127 * 0.500001);
      } else {
        CHECK(error <= bound.at(storage) * size + largest * 0x1p-38);
      }
    }
    CHECK(std::abs(row[0] / 3.4e38 - 1) < 0.004);
    CHECK(std::abs(row[1] / -3.4e38 - 1) < 0.004);
  }
}

inline void check_hardly_any(const MakeRowWindow& make) {
  for (const Storage storage : storages) {
    CAPTURE(std::string(name(storage)));
    const auto window = make({3, 70, storage, {}});
    window->propose(host(std::vector<float>(70, 0.0F)), 0);
    window->accept(0);
    window->propose(host(std::vector<float>(70, 1e-44F)), 1);
    std::vector<double> products(1);
    CHECK(window->candidate_products(products) >= 0);
    CHECK(products[0] == 0);
    window->accept(1);
    std::vector<double> row(70);
    window->read_row(1, row);
    for (const double value : row) CHECK((value >= 0 && value < 2e-44));
  }
}

/// Any number of threads, and any slices, give the same bits.
inline void check_threads_and_slices(const MakeRowWindow& make, std::size_t d, std::size_t step) {
  Random random(9);
  const auto g = normal_floats(d, random), x = normal_floats(d, random);
  for (const Storage storage : storages) {
    CAPTURE(std::string(name(storage)));
    std::vector<std::vector<double>> results;
    std::vector<std::vector<float>> outs;
    for (const int threads : {1, 2, 3}) {
      RunControl control;
      control.threads = threads;
      const auto window = make({9, d, storage, {}});
      window->watch(&control);
      window->propose(host(x), 0);
      window->accept(0);
      window->watch(&control);
      std::vector<double> y(3);
      if (threads == 3) {
        // From the end to the beginning, as back-propagation goes.
        for (std::size_t end = d; end > 0; end -= std::min(end, step)) {
          const std::size_t from = end - std::min(end, step);
          window->propose_part(from, std::span<const float>(g).subspan(from, end - from), 1);
        }
      } else {
        window->propose(host(g), 1);
      }
      y[1] = window->candidate_products(std::span(y).first(1));
      window->accept(1);
      window->watch(&control);
      const HostVector vector = host(x);
      std::vector<double> z(2);
      window->products(std::span(&vector, 1), 2, z);
      y.insert(y.end(), z.begin(), z.end());
      std::vector<float> out(d);
      const Combination combination{.coefficients = z, .x = {}, .out = out};
      window->combine(std::span(&combination, 1));
      results.push_back(y);
      outs.push_back(out);
    }
    for (const std::size_t i : {1U, 2U}) {
      CHECK(identical(results[i], results[0]));
      CHECK(identical(outs[i], outs[0]));
    }
  }
}

/// A candidate with NaN or infinity is refused with the first position, whole or in parts.
inline void check_refusals(const MakeRowWindow& make) {
  const auto message = [](const auto& body) -> std::string {
    try {
      body();
    } catch (const Error& error) {
      CHECK(error.code == ErrorCode::invalid_argument);
      CHECK(error.argument == "gradient");
      return error.what();
    }
    return "";
  };
  const auto position = [&](RowWindowShape shape, const HostVector& g) {
    const auto window = make(std::move(shape));
    return message([&] { window->propose(g, 0); });
  };
  std::vector<float> g(5000, 1);
  g[4321] = std::numeric_limits<float>::infinity();
  g[1234] = std::numeric_limits<float>::quiet_NaN();
  CHECK(position({2, 5000, Storage::float32, {}}, host(g)).find("entry 1234 is nan") !=
        std::string::npos);
  std::vector<double> wide(5000, 1);
  wide[4999] = 1e39;
  CHECK(position({2, 5000, Storage::int8, {}}, host(wide)).find("entry 4999") != std::string::npos);
  // Frozen positions may hold anything.
  CHECK(position({2, 5000, Storage::float32, {1233, 1235, 4000}}, host(g)).empty());
  CHECK(position({2, 5000, Storage::float32, {1235, 4321}}, host(g)).find("entry 4321 is inf") !=
        std::string::npos);
  const auto window = make({2, 5000, Storage::float32, {}});
  const auto part = std::span<const float>(g).subspan(2000, 3000);
  CHECK(message([&] { window->propose_part(2000, part, 0); }).find("entry 4321 is inf") !=
        std::string::npos);
}

inline void check_beyond_float32(const MakeRowWindow& make) {
  Filled filled(make, {2, 40, Storage::float32, {}}, 2);
  std::vector<float> out(40);
  const std::vector<double> coefficients = {1e300, 0};
  const Combination combination{.coefficients = coefficients, .x = {}, .out = out};
  try {
    filled.window.combine(std::span(&combination, 1));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code == ErrorCode::numerical);
  }
}

inline void check_cancelled(const MakeRowWindow& make) {
  Filled filled(make, {8, 50'000, Storage::float32, {}}, 8);
  RunControl control;
  control.cancel();
  filled.window.watch(&control);
  std::vector<double> y(8);
  std::vector<float> out(50'000);
  const HostVector vector = host(filled.gradients[0]);
  const Combination combination{.coefficients = y, .x = {}, .out = out};
  CHECK_THROWS_AS(filled.window.propose(vector, 8), Cancelled);
  CHECK_THROWS_AS(filled.window.products(std::span(&vector, 1), 8, y), Cancelled);
  CHECK_THROWS_AS(filled.window.combine(std::span(&combination, 1)), Cancelled);
  filled.window.watch(nullptr);
  CHECK_NOTHROW(filled.window.propose(vector, 8));
  CHECK(filled.window.candidate_products(y) == y[0]);
}

/// Rows go out as bytes and come back into any slot.
inline void check_bytes(const MakeRowWindow& make) {
  for (const Storage storage : storages) {
    CAPTURE(std::string(name(storage)));
    Filled filled(make, {11, 1100, storage, {}}, 11);
    const auto third = filled.bytes(3), tenth = filled.bytes(10);
    const WideVector row = filled.row(3);
    filled.window.import_row(10, third);
    filled.window.import_row(0, tenth);
    CHECK(filled.row(10) == row);
    CHECK(filled.bytes(0) == tenth);
    CHECK(filled.bytes(3) == third);
  }
}

/// All that takes no time, of the passes too.
inline void check_row_window(const MakeRowWindow& make) {
  check_frozen_positions(make);
  check_duplicates(make);
  check_candidate_alone(make);
  check_rounding(make);
  check_hardly_any(make);
  check_refusals(make);
  check_beyond_float32(make);
  check_cancelled(make);
  check_bytes(make);
}

}  // namespace secondorder::test
