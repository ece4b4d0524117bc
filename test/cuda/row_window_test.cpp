// The window of rows on a GPU: what every window must do, and that it is the CPU's bit by bit where
// rows are stored, and within roundings where they are multiplied.
#include <doctest/doctest.h>

#include "algebra/sharded_row_window.hpp"
#include "device_under_test.hpp"
#include "row_window_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

std::unique_ptr<RowWindow> device_rows(RowWindowShape shape) {
  return backend_under_test().row_window(device_under_test, shape);
}

/// Rows that were made on the CPU, on the device.
std::unique_ptr<RowWindow> moved(const Filled& filled) {
  auto window = device_rows(filled.window.shape());
  for (std::size_t i = 0; i < filled.gradients.size(); ++i) window->import_row(i, filled.bytes(i));
  return window;
}

/// Both passes over the first `used` rows on the device, against those on the CPU.
void check_against_cpu(const Filled& filled, std::size_t used) {
  const auto window = moved(filled);
  const std::size_t d = filled.window.shape().dimension;
  Random random(21);
  std::vector<std::vector<float>> x;
  std::vector<HostVector> vectors;
  for (std::size_t v = 0; v < 2; ++v) x.push_back(normal_floats(d, random));
  for (const auto& one : x) vectors.push_back(host(one));
  std::vector<double> got(2 * used), want(2 * used), coefficients(2 * used);
  window->products(vectors, used, got);
  filled.window.products(vectors, used, want);
  double largest = 0;
  for (const double value : want) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < 2 * used; ++i) CHECK(std::abs(got[i] - want[i]) <= 1e-12 * largest);
  window->propose(vectors[0], used);
  filled.window.propose(vectors[0], used);
  const std::span one(got.data(), used), other(want.data(), used);
  CHECK(window->candidate_products(one) ==
        doctest::Approx(filled.window.candidate_products(other)).epsilon(1e-13));
  for (std::size_t i = 0; i < used; ++i) CHECK(std::abs(got[i] - want[i]) <= 1e-12 * largest);

  for (double& c : coefficients) c = random.normal();
  std::vector<float> there(2 * d), here(2 * d);
  for (const bool on_device : {false, true}) {
    std::vector<float>& out = on_device ? here : there;
    std::vector<Combination> combinations(2);
    for (std::size_t v = 0; v < 2; ++v) {
      combinations[v].coefficients = std::span(coefficients).subspan(v * used, used - v);
      combinations[v].candidate_factor = v == 0 ? 0.3 : 0;
      combinations[v].x_factor = v == 0 ? 0 : -2;
      combinations[v].x = vectors[1];
      combinations[v].out = std::span(out).subspan(v * d, d);
    }
    (on_device ? *window : filled.window).combine(combinations);
  }
  CHECK(distance(here, widened(there)) < 1e-7);
}

}  // namespace

TEST_SUITE("CUDA row window") {
  TEST_CASE("what every window does") { check_row_window(device_rows); }

  TEST_CASE("both passes, every storage, shapes around whole tiles") { check_shapes(device_rows); }

  TEST_CASE("rows are stored as on the CPU, and multiplied within its roundings") {
    check_same_as_cpu(device_rows, 5100);
  }

  TEST_CASE("several chunks of columns; any slices give the same bits") {
    check_threads_and_slices(device_rows, emulated() ? 140'000 : 1'400'000,
                             emulated() ? 23'457 : 123'457);
  }

  TEST_CASE("more chunks than lanes, of unequal length: vectors and slices as a whole") {
    const std::size_t d = emulated() ? 600'001 : 3'000'001, half = d / 2;
    Random random(13);
    const auto g = normal_floats(d, random), x = normal_floats(d, random);
    const auto window = device_rows({2, d, Storage::bfloat16, {}});
    const auto reference = cpu_rows()({2, d, Storage::bfloat16, {}});
    std::vector<double> got(1), want(1);
    std::vector<float> here(d), there(d);
    const std::span<const float> parts(g);
    const HostVector vector = host(x);
    for (RowWindow* one : {window.get(), reference.get()}) {
      std::vector<double>& y = one == window.get() ? got : want;
      one->propose(host(x), 0);
      one->accept(0);
      one->propose_part(half, parts.subspan(half), 1);
      one->propose_part(0, parts.first(half), 1);
      std::vector<double> products(1);
      y.push_back(one->candidate_products(products));
      y.push_back(products[0]);
      one->accept(1);
      y.resize(6);
      one->products(std::span(&vector, 1), 2, std::span(y).subspan(3, 2));
      const std::vector<double> coefficients = {0.3, -2};
      const Combination combination{.coefficients = coefficients,
                                    .x_factor = 1.5,
                                    .x = vector,
                                    .out = one == window.get() ? here : there};
      one->combine(std::span(&combination, 1));
    }
    for (std::size_t i = 0; i < 6; ++i) CHECK(got[i] == doctest::Approx(want[i]).epsilon(1e-12));
    CHECK(distance(here, widened(there)) < 1e-7);
    // One result beyond float32, among the first.
    auto large = x;
    large[5] = 1e38F;
    window->propose(host(large), 0);
    const Combination tenfold{
        .coefficients = {}, .candidate_factor = 10, .x_factor = 0, .x = {}, .out = here};
    CHECK_THROWS_AS(window->combine(std::span(&tenfold, 1)), Error);
  }

  TEST_CASE("more rows than a block of threads takes, and than are summed in 32 bits") {
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      check_against_cpu(Filled(cpu_rows(), {300, 1500, storage, {}}, 300), 290);
      check_against_cpu(Filled(cpu_rows(), {1101, 70, storage, {}}, 1101), 1101);
    }
  }

  TEST_CASE("factors far beyond what float32 holds, and far below") {
    for (const Storage storage : storages) {
      for (const auto& [row_scale, x_scale] :
           {std::pair{1e30, 1e100}, {1e-30, 1e-100}, {1e-40, 1e-60}, {3e37, 1e-90}}) {
        CAPTURE(std::string(name(storage)));
        CAPTURE(row_scale);
        const Filled filled(cpu_rows(), {3, 200, storage, {}}, 0);
        Random random(8);
        for (std::size_t i = 0; i < 3; ++i) {
          filled.window.propose(host(normal_floats(200, random, row_scale)), 0);
          filled.window.accept(i);
        }
        const auto window = device_rows(filled.window.shape());
        for (std::size_t i = 0; i < 3; ++i) window->import_row(i, filled.bytes(i));
        std::vector<double> x, got(3), want(3), coefficients;
        for (int j = 0; j < 200; ++j) x.push_back(x_scale * random.normal());
        for (int i = 0; i < 3; ++i) coefficients.push_back(random.normal() / row_scale);
        const HostVector vector = host(x);
        window->products(std::span(&vector, 1), 3, got);
        filled.window.products(std::span(&vector, 1), 3, want);
        for (std::size_t i = 0; i < 3; ++i) {
          CHECK(std::abs(got[i] - want[i]) <= 1e-10 * std::abs(want[i]));
        }
        std::vector<float> here(200), there(200);
        Combination combination{.coefficients = coefficients, .x = {}, .out = here};
        window->combine(std::span(&combination, 1));
        combination.out = there;
        filled.window.combine(std::span(&combination, 1));
        CHECK(distance(here, widened(there)) < 1e-7);
      }
    }
  }

  TEST_CASE("the largest rows of int8, whose integer sums are the largest there are") {
    constexpr std::size_t rows = 1024, d = 1024;
    const auto window = device_rows({rows, d, Storage::int8, {}});
    const std::vector<float> ones(d, 1);
    window->propose(host(ones), 0);
    window->accept(0);
    std::vector<std::byte> bytes(window->row_bytes());
    window->export_row(0, bytes);
    for (std::size_t i = 1; i < rows; ++i) window->import_row(i, bytes);
    const HostVector x = host(ones);
    std::vector<double> y(rows);
    window->products(std::span(&x, 1), rows, y);
    for (const double value : y) CHECK(value == doctest::Approx(1024).epsilon(1e-7));
    const std::vector<double> equal(rows, 1);
    std::vector<float> out(d);
    const Combination combination{.coefficients = equal, .x = {}, .out = out};
    window->combine(std::span(&combination, 1));
    for (const float value : out) CHECK(value == doctest::Approx(1024).epsilon(1e-6));
  }

  TEST_CASE("candidates over and over: none is lost between accepting it and the next") {
    constexpr std::size_t d = 3000;
    const auto window = device_rows({3, d, Storage::bfloat16, {}});
    const auto reference = cpu_rows()({3, d, Storage::bfloat16, {}});
    Random random(4);
    for (std::size_t step = 0; step < 12; ++step) {
      const auto g = normal_floats(d, random);
      for (RowWindow* one : {window.get(), reference.get()}) {
        one->propose(host(g), std::min<std::size_t>(step, 3));
        one->accept(step % 3);
      }
      std::vector<std::byte> got(window->row_bytes()), want(reference->row_bytes());
      for (std::size_t slot = 0; slot < std::min<std::size_t>(step + 1, 3); ++slot) {
        window->export_row(slot, got);
        reference->export_row(slot, want);
        CHECK(got == want);
      }
    }
  }

  TEST_CASE("a window that can't be") {
    for (const auto& [rows, dimension] :
         {std::pair{1UL << 20, 1UL << 35}, {1UL << 40, 1UL << 40}}) {
      try {
        device_rows({rows, dimension, Storage::float32, {}});
        FAIL("no error");
      } catch (const Error& error) {
        CHECK(error.code == ErrorCode::out_of_memory);
        CHECK(error.argument == "capacity");
      }
    }
    CHECK(device_rows({2, 100, Storage::int8, {}})->shape().rows == 2);
  }

  TEST_CASE("shards on a device and on the CPU together") {
    const MakeRowWindow mixed = [](RowWindowShape shape) -> std::unique_ptr<RowWindow> {
      return std::make_unique<ShardedRowWindow>(
          std::move(shape), 2, [](std::size_t index, RowWindowShape part) {
            return index == 0 ? device_rows(std::move(part)) : cpu_rows()(std::move(part));
          });
    };
    check_row_window(mixed);
    check_same_as_cpu(mixed, 5100);
  }
}
