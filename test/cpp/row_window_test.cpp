// The two passes of a window of rows on the CPU: every storage with every instruction set against
// naive sums over the rows as they are stored, and against the portable kernels.
#include <doctest/doctest.h>

#include <cmath>

#include "filled_window.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

Wide dot(const WideVector& a, const WideVector& b) {
  Wide sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

Wide norm(const WideVector& a) { return std::sqrt(dot(a, a)); }

std::vector<std::uint32_t> every_third(std::size_t dimension) {
  std::vector<std::uint32_t> active;
  for (std::size_t j = 1; j < dimension; j += 3) active.push_back(static_cast<std::uint32_t>(j));
  return active;
}

/// What the products of a window with x and with its rows should be.
void check_passes(const Filled& filled, std::size_t used) {
  auto& window = const_cast<CpuRowWindow&>(filled.window);
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

}  // namespace

TEST_SUITE("row window") {
  TEST_CASE("both passes, every storage and instruction set, shapes around whole tiles") {
    const std::pair<std::size_t, std::size_t> shapes[] = {
        {1, 1}, {2, 16}, {3, 17}, {7, 63}, {8, 64}, {9, 65}, {16, 1023}, {12, 1025}, {37, 2300}};
    for (const auto* table : window_kernels()) {
      for (const Storage storage : storages) {
        for (const auto& [rows, dimension] : shapes) {
          CAPTURE(std::string(table->name));
          CAPTURE(std::string(name(storage)));
          CAPTURE(rows);
          CAPTURE(dimension);
          const Filled filled({rows, dimension, storage, {}}, rows, *table);
          check_passes(filled, rows);
          if (rows > 4) check_passes(filled, rows - 4);
        }
      }
    }
  }

  TEST_CASE("positions that the mask freezes are read from nowhere and come out as 0") {
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      const Filled filled({9, 4000, storage, every_third(4000)}, 9, row_window_kernels());
      CHECK(filled.window.shape().columns() == 1333);
      check_passes(filled, 9);
      for (std::size_t j = 0; j < 1333; j += 100) {
        const Wide given = filled.gradients[4][1 + 3 * j];
        CHECK(std::abs(filled.row(4)[j] - given) <= 0.02 * std::abs(given) + 3);
      }
    }
  }

  TEST_CASE(
      "stored bytes are the same for every instruction set, and products differ by roundings") {
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      const Filled portable({9, 2100, storage, {}}, 9, *row_window_kernels_named("portable"));
      Random random(3);
      const auto x = normal_floats(2100, random);
      const HostVector vector = host(x);
      std::vector<double> want(9), got(9);
      const_cast<CpuRowWindow&>(portable.window).products(std::span(&vector, 1), 9, want);
      for (const auto* table : window_kernels()) {
        CAPTURE(std::string(table->name));
        Filled filled({9, 2100, storage, {}}, 9, *table);
        for (std::size_t i = 0; i < 9; ++i) CHECK(filled.bytes(i) == portable.bytes(i));
        filled.window.products(std::span(&vector, 1), 9, got);
        for (std::size_t i = 0; i < 9; ++i) {
          const Wide scale = norm(portable.row(i)) * norm(widened(x));
          CHECK(std::abs(got[i] - want[i]) <= (storage == Storage::int8 ? 4e-16 : 4e-15) * scale);
        }
      }
    }
  }

  TEST_CASE("a duplicate's products are bit by bit those of its original") {
    for (const auto* table : window_kernels()) {
      for (const Storage storage : storages) {
        CAPTURE(std::string(name(storage)));
        Filled filled({11, 3100, storage, {}}, 10, *table);
        for (const std::size_t i : {0U, 7U, 9U}) {
          std::vector<double> products(10);
          filled.window.propose(host(filled.gradients[i]), 10);
          CHECK(filled.window.candidate_products(products) == products[i]);
        }
      }
    }
  }

  TEST_CASE("the candidate alone is combined as the row that it becomes") {
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      Filled filled({4, 1300, storage, {}}, 3, row_window_kernels());
      Random random(1);
      const auto g = normal_floats(1300, random);
      filled.window.propose(host(g), 3);
      std::vector<float> waiting(1300), accepted(1300);
      const std::vector<double> none, last = {0, 0, 0, 0.7};
      Combination combination{
          .coefficients = none, .candidate_factor = 0.7, .x = {}, .out = waiting};
      filled.window.combine(std::span(&combination, 1));
      filled.window.accept(3);
      combination = {.coefficients = last, .x = {}, .out = accepted};
      filled.window.combine(std::span(&combination, 1));
      CHECK(identical(waiting, accepted));
    }
  }
}
