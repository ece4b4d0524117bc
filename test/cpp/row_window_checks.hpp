// What a window of rows must do, wherever `make` puts it: passes against naive sums over the rows
// as they are stored; rounding, slices, bytes, and what it refuses.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "filled_window.hpp"

namespace secondorder::test {

inline Wide dot(const WideVector& a, const WideVector& b) {
  Wide sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

inline Wide norm(const WideVector& a) { return std::sqrt(dot(a, a)); }

inline std::vector<std::uint32_t> every_third(std::size_t dimension) {
  std::vector<std::uint32_t> active;
  for (std::size_t j = 1; j < dimension; j += 3) active.push_back(static_cast<std::uint32_t>(j));
  return active;
}

/// The products of a window's rows [0, used) with x and with themselves, and their combinations.
inline void check_passes(const Filled& filled, std::size_t used) {
  RowWindow& window = filled.window;
  const std::size_t d = window.shape().dimension, columns = window.shape().columns();
  const auto& active = window.shape().active;
  const auto column_of = [&](const std::vector<float>& x) {
    WideVector picked;
    for (std::size_t j = 0; j < columns; ++j) picked.push_back(x[active.empty() ? j : active[j]]);
    return picked;
  };
  Random random(11);
  std::vector<WideVector> rows;
  for (std::size_t i = 0; i < used; ++i) rows.push_back(filled.row(i));

  // Nine vectors: more than are taken at once.
  std::vector<std::vector<float>> x;
  std::vector<HostVector> vectors;
  for (std::size_t v = 0; v < 9; ++v) x.push_back(normal_floats(d, random, v == 3 ? 1e6 : 1));
  for (const auto& vector : x) vectors.push_back(host(vector));
  std::vector<double> y(9 * used);
  window.products(vectors, used, y);
  for (std::size_t v = 0; v < 9; ++v) {
    const WideVector wide = column_of(x[v]);
    for (std::size_t i = 0; i < used; ++i) {
      CAPTURE(v);
      CAPTURE(i);
      const Wide scale = norm(rows[i]) * norm(wide);
      CHECK(std::abs(y[v * used + i] - dot(rows[i], wide)) <= 3e-12 * scale + 1e-300);
    }
  }
  // The candidate's products, with itself too.
  std::vector<double> products(used);
  window.propose(vectors[0], used);
  const double square = window.candidate_products(products);
  CHECK(square >= 0);
  for (std::size_t i = 0; i < used; ++i) {
    const Wide scale = norm(rows[i]) * norm(column_of(x[0]));
    CHECK(std::abs(products[i] - y[i]) <= 0.02 * scale);
  }

  // Coefficients over twelve orders of magnitude.
  std::vector<double> coefficients(9 * used);
  for (double& c : coefficients) c = random.normal() * std::pow(10.0, 12 * random.uniform() - 6);
  std::vector<std::vector<float>> out(9, std::vector<float>(d, 5));
  std::vector<Combination> combinations(9);
  for (std::size_t v = 0; v < 9; ++v) {
    combinations[v].coefficients = std::span(coefficients).subspan(v * used, used);
    combinations[v].x_factor = v % 2 == 0 ? 0.5 : 0;
    combinations[v].x = host(x[v]);
    combinations[v].out = out[v];
  }
  window.combine(combinations);
  for (std::size_t v = 0; v < 9; ++v) {
    CAPTURE(v);
    const WideVector wide = column_of(x[v]);
    WideVector want(d, 0);
    for (std::size_t j = 0; j < columns; ++j) {
      Wide sum = combinations[v].x_factor * wide[j];
      for (std::size_t i = 0; i < used; ++i) sum += coefficients[v * used + i] * rows[i][j];
      want[active.empty() ? j : active[j]] = sum;
    }
    CHECK(distance(out[v], want) < 1e-7);
  }
}

/// Shapes around whole tiles.
inline void check_shapes(const MakeRowWindow& make) {
  const std::pair<std::size_t, std::size_t> shapes[] = {
      {1, 1},  {2, 16},    {3, 17},    {7, 63},    {8, 64},
      {9, 65}, {16, 1023}, {15, 1024}, {12, 1025}, {37, 2300}};
  for (const Storage storage : storages) {
    for (const auto& [rows, dimension] : shapes) {
      CAPTURE(std::string(name(storage)));
      CAPTURE(rows);
      CAPTURE(dimension);
      const Filled filled(make, {rows, dimension, storage, {}}, rows);
      check_passes(filled, rows);
      if (rows > 4) check_passes(filled, rows - 4);
    }
  }
}

inline void check_frozen_positions(const MakeRowWindow& make) {
  for (const Storage storage : storages) {
    CAPTURE(std::string(name(storage)));
    const Filled filled(make, {9, 4000, storage, every_third(4000)}, 9);
    CHECK(filled.window.shape().columns() == 1333);
    check_passes(filled, 9);
    for (std::size_t j = 0; j < 1333; j += 100) {
      const Wide given = filled.gradients[4][1 + 3 * j];
      CHECK(std::abs(filled.row(4)[j] - given) <= 0.02 * std::abs(given) + 3);
    }
  }
}

/// A duplicate's products are bit by bit those of its original.
inline void check_duplicates(const MakeRowWindow& make) {
  for (const Storage storage : storages) {
    CAPTURE(std::string(name(storage)));
    Filled filled(make, {11, 3100, storage, {}}, 10);
    for (const std::size_t i : {0U, 7U, 9U}) {
      std::vector<double> products(10);
      filled.window.propose(host(filled.gradients[i]), 10);
      CHECK(filled.window.candidate_products(products) == products[i]);
    }
  }
}

/// The candidate alone is combined as the row that it becomes.
inline void check_candidate_alone(const MakeRowWindow& make) {
  for (const Storage storage : storages) {
    CAPTURE(std::string(name(storage)));
    Filled filled(make, {4, 1300, storage, {}}, 3);
    Random random(1);
    const auto g = normal_floats(1300, random);
    filled.window.propose(host(g), 3);
    std::vector<float> waiting(1300), accepted(1300);
    const std::vector<double> none, last = {0, 0, 0, 0.7};
    Combination combination{.coefficients = none, .candidate_factor = 0.7, .x = {}, .out = waiting};
    filled.window.combine(std::span(&combination, 1));
    filled.window.accept(3);
    combination = {.coefficients = last, .x = {}, .out = accepted};
    filled.window.combine(std::span(&combination, 1));
    CHECK(identical(waiting, accepted));
  }
}

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

/// Rows as bytes, and what is made of them, are those of a window on the CPU.
inline void check_same_as_cpu(const MakeRowWindow& make, std::size_t d) {
  for (const Storage storage : storages) {
    CAPTURE(std::string(name(storage)));
    const Filled here(make, {9, d, storage, {}}, 9), there(cpu_rows(), {9, d, storage, {}}, 9);
    REQUIRE(here.window.row_bytes() == there.window.row_bytes());
    for (std::size_t i = 0; i < 9; ++i) {
      CHECK(here.bytes(i) == there.bytes(i));
      CHECK(here.row(i) == there.row(i));
    }
    Random random(3);
    const auto x = normal_floats(d, random);
    const HostVector vector = host(x);
    std::vector<double> got(9), want(9);
    here.window.products(std::span(&vector, 1), 9, got);
    there.window.products(std::span(&vector, 1), 9, want);
    for (std::size_t i = 0; i < 9; ++i) {
      const Wide scale = norm(here.row(i)) * norm(widened(x));
      CHECK(std::abs(got[i] - want[i]) <= (storage == Storage::int8 ? 4e-16 : 4e-15) * scale);
    }
  }
}

/// All of the above that takes no time.
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
