// A window of rows on the CPU: rounding, threads, slices, bytes, and what it refuses.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "base/error.hpp"
#include "base/run_control.hpp"
#include "filled_window.hpp"

using namespace secondorder;
using namespace secondorder::test;

TEST_SUITE("row window") {
  TEST_CASE("rounding: float32 keeps, the others stay within their half unit; nothing overflows") {
    Random random(5);
    auto g = normal_floats(1500, random);
    g[0] = 3.4e38F;
    g[1] = -3.4e38F;
    g[1200] = 1e-30F;
    const std::map<Storage, double> bound = {
        {Storage::float32, 0}, {Storage::bfloat16, 0x1p-8}, {Storage::float16, 0x1p-11}};
    for (const auto* table : window_kernels()) {
      for (const Storage storage : storages) {
        CAPTURE(std::string(table->name));
        CAPTURE(std::string(name(storage)));
        CpuRowWindow window({1, 1500, storage, {}}, *table);
        window.propose(host(g), 0);
        window.accept(0);
        std::vector<double> row(1500);
        window.read_row(0, row);
        // The second block, whose largest value is an ordinary one.
        double largest = 0;
        for (std::size_t j = 1024; j < 1500; ++j)
          largest = std::max(largest, std::abs(double{g[j]}));
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
  }

  TEST_CASE("rows of zeros, and of numbers that are hardly any") {
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      CpuRowWindow window({3, 70, storage, {}});
      window.propose(host(std::vector<float>(70, 0.0F)), 0);
      window.accept(0);
      window.propose(host(std::vector<float>(70, 1e-44F)), 1);
      std::vector<double> products(1);
      CHECK(window.candidate_products(products) >= 0);
      CHECK(products[0] == 0);
      window.accept(1);
      std::vector<double> row(70);
      window.read_row(1, row);
      for (const double value : row) CHECK((value >= 0 && value < 2e-44));
    }
  }

  TEST_CASE("any number of threads, and any slices, give the same bits") {
    Random random(9);
    constexpr std::size_t d = 700'000;
    const auto g = normal_floats(d, random), x = normal_floats(d, random);
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      std::vector<std::vector<double>> results;
      std::vector<std::vector<float>> outs;
      for (const int threads : {1, 2, 3}) {
        RunControl control;
        control.threads = threads;
        CpuRowWindow window({9, d, storage, {}});
        window.watch(&control);
        window.propose(host(x), 0);
        window.accept(0);
        window.watch(&control);
        std::vector<double> y(3);
        if (threads == 3) {
          // From the end to the beginning, as back-propagation goes.
          constexpr std::size_t step = 123'457;
          for (std::size_t end = d; end > 0; end -= std::min(end, step)) {
            const std::size_t from = end - std::min(end, step);
            window.propose_part(from, std::span<const float>(g).subspan(from, end - from), 1);
          }
        } else {
          window.propose(host(g), 1);
        }
        y[1] = window.candidate_products(std::span(y).first(1));
        window.accept(1);
        window.watch(&control);
        const HostVector vector = host(x);
        std::vector<double> z(2);
        window.products(std::span(&vector, 1), 2, z);
        y.insert(y.end(), z.begin(), z.end());
        std::vector<float> out(d);
        const Combination combination{.coefficients = z, .x = {}, .out = out};
        window.combine(std::span(&combination, 1));
        results.push_back(y);
        outs.push_back(out);
      }
      for (const std::size_t i : {1U, 2U}) {
        CHECK(identical(results[i], results[0]));
        CHECK(identical(outs[i], outs[0]));
      }
    }
  }

  TEST_CASE("a candidate with NaN or infinity is refused with the first position") {
    const auto position = [](RowWindowShape shape, const HostVector& g) -> std::string {
      CpuRowWindow window(std::move(shape));
      try {
        window.propose(g, 0);
      } catch (const Error& error) {
        CHECK(error.code == ErrorCode::invalid_argument);
        CHECK(error.argument == "gradient");
        return error.what();
      }
      return "";
    };
    std::vector<float> g(5000, 1);
    g[4321] = std::numeric_limits<float>::infinity();
    g[1234] = std::numeric_limits<float>::quiet_NaN();
    CHECK(position({2, 5000, Storage::float32, {}}, host(g)).find("entry 1234 is nan") !=
          std::string::npos);
    std::vector<double> wide(5000, 1);
    wide[4999] = 1e39;
    CHECK(position({2, 5000, Storage::int8, {}}, host(wide)).find("entry 4999") !=
          std::string::npos);
    // Frozen positions may hold anything.
    CHECK(position({2, 5000, Storage::float32, {1233, 1235, 4000}}, host(g)).empty());
    CHECK(position({2, 5000, Storage::float32, {1235, 4321}}, host(g)).find("entry 4321 is inf") !=
          std::string::npos);
  }

  TEST_CASE("a result beyond float32 is an error") {
    Filled filled({2, 40, Storage::float32, {}}, 2, row_window_kernels());
    std::vector<float> out(40);
    const std::vector<double> coefficients = {1e300, 0};
    const Combination combination{.coefficients = coefficients, .x = {}, .out = out};
    CHECK_THROWS_AS(filled.window.combine(std::span(&combination, 1)), Error);
  }

  TEST_CASE("a cancelled pass throws") {
    Filled filled({8, 50'000, Storage::float32, {}}, 8, row_window_kernels());
    RunControl control;
    control.cancel();
    filled.window.watch(&control);
    std::vector<double> y(8);
    const HostVector vector = host(filled.gradients[0]);
    CHECK_THROWS_AS(filled.window.propose(vector, 8), Cancelled);
    CHECK_THROWS_AS(filled.window.products(std::span(&vector, 1), 8, y), Cancelled);
    filled.window.watch(nullptr);
    CHECK_NOTHROW(filled.window.propose(vector, 8));
  }

  TEST_CASE("rows go out as bytes and come back into any slot") {
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      Filled filled({11, 1100, storage, {}}, 11, row_window_kernels());
      const auto third = filled.bytes(3), tenth = filled.bytes(10);
      const WideVector row = filled.row(3);
      filled.window.import_row(10, third);
      filled.window.import_row(0, tenth);
      CHECK(filled.row(10) == row);
      CHECK(filled.bytes(0) == tenth);
      CHECK(filled.bytes(3) == third);
    }
  }

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
