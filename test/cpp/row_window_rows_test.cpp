// A window of rows on the CPU: rounding, threads, slices, bytes, and what it refuses.
#include <doctest/doctest.h>

#include "row_window_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

TEST_SUITE("row window") {
  TEST_CASE("rounding: float32 keeps, the others stay within their half unit; nothing overflows") {
    for (const auto* table : window_kernels()) {
      CAPTURE(std::string(table->name));
      check_rounding(cpu_rows(*table));
    }
  }

  TEST_CASE("rows of zeros, and of numbers that are hardly any") { check_hardly_any(cpu_rows()); }

  TEST_CASE("any number of threads, and any slices, give the same bits") {
    check_threads_and_slices(cpu_rows(), 700'000, 123'457);
  }

  TEST_CASE("a candidate with NaN or infinity is refused with the first position") {
    check_refusals(cpu_rows());
  }

  TEST_CASE("a result beyond float32 is an error") { check_beyond_float32(cpu_rows()); }

  TEST_CASE("a cancelled pass throws") { check_cancelled(cpu_rows()); }

  TEST_CASE("rows go out as bytes and come back into any slot") { check_bytes(cpu_rows()); }

  TEST_CASE("windows take little more than rows × columns elements, and no more than estimated") {
    for (const Storage storage : storages) {
      for (const auto& [rows, columns] :
           {std::pair<std::size_t, std::size_t>{250, 100'000}, {256, 1'000'000}, {50, 1'000'001}}) {
        CAPTURE(std::string(name(storage)));
        CAPTURE(rows);
        const CpuRowWindow window({rows, columns, storage, {}});
        const double plain = static_cast<double>(rows * columns * element_bytes(storage));
        const double got = static_cast<double>(window.window_bytes());
        CHECK(got >= plain);
        CHECK(got <= 1.02 * plain + 4e6 * (plain < 2e8 ? 1 : 0));
        CHECK(static_cast<double>(window.bytes()) <=
              CpuRowWindow::estimate_bytes(static_cast<double>(rows), static_cast<double>(columns),
                                           storage) *
                      1.001 +
                  4e6);
      }
    }
  }
}
