// The window of rows on the CPU, with every instruction set: what every window must do, and what
// its kernels have in common.
#include <doctest/doctest.h>

#include "row_window_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

TEST_SUITE("row window") {
  TEST_CASE("both passes, every storage and instruction set, shapes around whole tiles") {
    for (const auto* table : window_kernels()) {
      CAPTURE(std::string(table->name));
      check_shapes(cpu_rows(*table));
    }
  }

  TEST_CASE("positions that the mask freezes are read from nowhere and come out as 0") {
    check_frozen_positions(cpu_rows());
  }

  TEST_CASE(
      "stored bytes are the same for every instruction set, and products differ by roundings") {
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      const Filled portable(cpu_rows(*row_window_kernels_named("portable")), {9, 2100, storage, {}},
                            9);
      Random random(3);
      const auto x = normal_floats(2100, random);
      const HostVector vector = host(x);
      std::vector<double> want(9), got(9);
      portable.window.products(std::span(&vector, 1), 9, want);
      for (const auto* table : window_kernels()) {
        CAPTURE(std::string(table->name));
        Filled filled(cpu_rows(*table), {9, 2100, storage, {}}, 9);
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
    for (const auto* table : window_kernels()) check_duplicates(cpu_rows(*table));
  }

  TEST_CASE("the candidate alone is combined as the row that it becomes") {
    check_candidate_alone(cpu_rows());
  }
}
