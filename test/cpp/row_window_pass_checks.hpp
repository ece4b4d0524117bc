// What a window of rows must do, wherever `make` puts it: passes against naive sums over the rows
// as they are stored; rounding, slices, bytes, and what it refuses.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <string>

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

}  // namespace secondorder::test
