// What a window on a GPU holds of it, and what becomes of both where there is not enough.
#include <doctest/doctest.h>

#include "device.hpp"
#include "device_under_test.hpp"
#include "memory_limit.hpp"
#include "row_window_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

std::unique_ptr<RowWindow> device_rows(RowWindowShape shape) {
  return backend_under_test().row_window(device_under_test, shape);
}

}  // namespace

TEST_SUITE("CUDA row window") {
  TEST_CASE("a window tells what it holds, and gives it back") {
    const auto before = emulation::held();
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      Filled filled(device_rows, {20, 200'000, storage, {}}, 0);
      const std::size_t bytes = emulation::held().bytes - before.bytes;
      CHECK(bytes >= filled.window.window_bytes());
      CHECK(bytes <= filled.window.bytes());
      const double plain = 20.0 * 200'000 * static_cast<double>(element_bytes(storage));
      CHECK(static_cast<double>(filled.window.window_bytes()) >= plain);
      CHECK(static_cast<double>(filled.window.window_bytes()) <= 1.02 * plain);
    }
    CHECK(emulation::held() == before);
  }

  TEST_CASE("wherever memory runs out, the window is refused and the device as it was") {
    const auto before = emulation::held();
    constexpr std::size_t step = 400'000;
    int refused = 0;
    for (std::size_t limit = step;; limit += step) {
      const MemoryLimit limited(before.bytes + limit);
      if (!out_of_memory([] { device_rows({20, 30'000, Storage::float16, {}}); })) break;
      ++refused;
      CHECK(emulation::held() == before);
    }
    CHECK(refused > 3);
    CHECK(device_rows({20, 30'000, Storage::float16, {}})->row_bytes() > 60'000);
  }

  TEST_CASE("no room for several vectors at once: one at a time still goes, and nothing is lost") {
    const Filled filled(device_rows, {5, 4000, Storage::float32, {}}, 5);
    const MemoryLimit full(emulation::held().bytes + 20'000);
    const HostVector x[] = {host(filled.gradients[0]), host(filled.gradients[1])};
    std::vector<double> y(10);
    const auto row = filled.row(3);
    CHECK(out_of_memory([&] { filled.window.products(x, 5, y); }));
    filled.window.products(std::span(x, 1), 5, y);
    CHECK(y[0] > 0);
    CHECK(filled.row(3) == row);
  }

  TEST_CASE("a step allocates nothing after the first") {
    Filled filled(device_rows, {5, 4000, Storage::int8, {}}, 5);
    std::vector<double> products(5);
    std::vector<float> out(4000);
    const auto step = [&] {
      filled.window.propose(host(filled.gradients[2]), 5);
      filled.window.candidate_products(products);
      const Combination combination{.coefficients = products, .x = {}, .out = out};
      filled.window.combine(std::span(&combination, 1));
      filled.window.accept(4);
    };
    const auto before = emulation::held();
    step();
    step();
    CHECK(emulation::held() == before);
  }
}
