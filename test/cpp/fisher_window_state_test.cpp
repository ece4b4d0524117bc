// A window of gradients as an object: masks, slices, new damping, and all that may go wrong.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "dense_window.hpp"

using namespace secondorder;
using namespace secondorder::test;
using mfac::FisherWindow;

namespace {

ErrorCode code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code;
  }
  return ErrorCode::internal;
}

/// Everything that can be seen of a window: rows, K, factor, and what it makes of an x.
struct Snapshot {
  std::vector<WideVector> gradients;
  std::vector<double> gram, factor;
  std::vector<float> solution;
  explicit Snapshot(FisherWindow& window) : gradients(stored_gradients(window)) {
    for (std::size_t i = 0; i < window.size(); ++i) {
      for (std::size_t j = 0; j < window.size(); ++j) gram.push_back(window.gram(i, j));
    }
    factor = window.factor().triangle();
    const std::vector<float> ones(window.options().dimension, 1.0F);
    solution = solve(window, host(ones));
  }
  bool operator==(const Snapshot&) const = default;
};

}  // namespace

TEST_SUITE("Fisher window") {
  TEST_CASE("frozen positions take no part") {
    auto options = shape(50, 6, 1e-3);
    std::vector<std::uint8_t> mask(50, 0);
    for (const std::size_t j : {0U, 7U, 8U, 31U, 49U}) mask[j] = 1;
    options.active = mfac::active_positions(mask);
    FisherWindow window(options);
    FisherWindow packed(shape(5, 6, 1e-3));
    CHECK(window.columns() == 5);
    Random random(7);
    for (int step = 0; step < 10; ++step) {
      auto g = normal_floats(50, random);
      g[1] = std::numeric_limits<float>::quiet_NaN();
      std::vector<float> picked, got;
      for (const std::uint32_t j : options.active) picked.push_back(g[j]);
      const auto u = push_and_solve(window, g);
      for (std::size_t j = 0; j < 50; ++j) {
        if (mask[j] != 0)
          got.push_back(u[j]);
        else
          CHECK(u[j] == 0);
      }
      CHECK(identical(got, push_and_solve(packed, picked)));
    }
    CHECK(mfac::active_positions(std::vector<std::uint8_t>(9, 1)).empty());
    CHECK(code_of([] { mfac::active_positions(std::vector<std::uint8_t>(9, 0)); }) ==
          ErrorCode::invalid_argument);
  }

  TEST_CASE("slices in any order are the gradient as a whole, bit by bit") {
    for (const Storage storage : {Storage::float32, Storage::float16, Storage::int8}) {
      auto options = shape(5000, 6, 1e-3, storage);
      for (std::uint32_t j = 0; j < 5000; j += 2) options.active.push_back(j);
      FisherWindow whole(options), sliced(options);
      Random random(8);
      for (int step = 0; step < 9; ++step) {
        const auto g = normal_floats(5000, random);
        const auto want = push_and_solve(whole, g);
        const std::span<const float> parts(g);
        sliced.push_slice(3000, parts.subspan(3000, 2000));
        sliced.push_slice(0, parts.first(1));
        sliced.push_slice(1, parts.subspan(1, 0));
        CHECK(sliced.pending());
        CHECK(sliced.size() == std::min<std::size_t>(static_cast<std::size_t>(step), 6));
        sliced.push_slice(1, parts.subspan(1, 2999));
        std::vector<float> got(5000);
        sliced.commit(got, freely);
        CHECK(!sliced.pending());
        CHECK(identical(got, want));
      }
      CHECK(Snapshot(whole) == Snapshot(sliced));
    }
  }

  TEST_CASE("what is wrong with slices leaves those that arrived") {
    FisherWindow window(shape(100, 3, 1e-3));
    Random random(9);
    const auto g = normal_floats(100, random);
    window.push(host(g), {}, freely);
    const Snapshot before(window);
    const std::span<const float> parts(g);
    std::vector<float> out(100);
    window.push_slice(10, parts.subspan(10, 40));
    CHECK(code_of([&] { window.push_slice(49, parts.first(1)); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { window.push_slice(0, parts.first(11)); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { window.push_slice(0, parts); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { window.push_slice(90, parts.first(11)); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { window.push_slice(~std::size_t{0}, parts.first(2)); }) ==
          ErrorCode::invalid_argument);
    CHECK(code_of([&] { window.commit(out, freely); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { window.push(host(g), {}, freely); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { window.save("never-written", freely); }) == ErrorCode::invalid_argument);
    std::vector<float> bad(50, std::nanf(""));
    CHECK(code_of([&] { window.push_slice(50, host(bad)); }) == ErrorCode::invalid_argument);
    CHECK(Snapshot(window) == before);
    window.push_slice(50, parts.subspan(50, 50));
    window.push_slice(0, parts.first(10));
    window.commit(out, freely);
    CHECK(window.size() == 2);
    window.push_slice(0, parts.first(10));
    window.discard_slices();
    CHECK(!window.pending());
    window.push(host(g), {}, freely);
    CHECK(window.size() == 3);
  }

  TEST_CASE("new damping, at any time; clearing") {
    FisherWindow window(shape(40, 7, 1e-3));
    Random random(10);
    for (int step = 0; step < 20; ++step) {
      const auto g = normal_floats(40, random);
      if (step % 3 == 0) window.set_damping(std::pow(10.0, -1 - step % 4));
      const auto u = push_and_solve(window, g);
      CHECK(distance(u, dense_fisher(window).solve(widened(g))) < 1e-6);
      if (step % 5 == 4) window.set_damping(0.5);
      CHECK(distance(solve(window, host(g)), dense_fisher(window).solve(widened(g))) < 1e-6);
    }
    for (const double bad : {0.0, -1.0, std::nan(""), 1.0 / 0.0}) {
      CHECK(code_of([&] { window.set_damping(bad); }) == ErrorCode::invalid_argument);
    }
    CHECK(window.damping() == 0.5);
    window.clear();
    CHECK(window.size() == 0);
    const auto g = normal_floats(40, random);
    WideVector divided;
    for (const float value : g) divided.push_back(value / 0.5L);
    CHECK(distance(solve(window, host(g)), divided) < 1e-7);
    const auto u = push_and_solve(window, g);
    CHECK(distance(u, dense_fisher(window).solve(widened(g))) < 1e-6);
  }

  TEST_CASE("bad input and cancellation leave the window as it was") {
    FisherWindow window(shape(20'000, 5, 1e-3));
    Random random(11);
    for (int step = 0; step < 8; ++step) {
      window.push(host(normal_floats(20'000, random)), {}, freely);
    }
    const Snapshot before(window);
    auto g = normal_floats(20'000, random);
    std::vector<float> out(20'000), small(3);
    RunControl cancelled;
    cancelled.cancel();
    CHECK_THROWS_AS(window.push(host(g), out, cancelled), Cancelled);
    const HostVector x = host(g);
    CHECK_THROWS_AS(window.solve(std::span(&x, 1), out, cancelled), Cancelled);
    CHECK(code_of([&] { window.push(host(g), small, freely); }) == ErrorCode::dimension_mismatch);
    CHECK(code_of([&] { window.push(host(small), {}, freely); }) == ErrorCode::dimension_mismatch);
    CHECK(code_of([&] { window.solve(std::span(&x, 1), small, freely); }) ==
          ErrorCode::dimension_mismatch);
    CHECK(code_of([&] { window.commit({}, freely); }) == ErrorCode::invalid_argument);
    g[17'000] = std::nanf("");
    CHECK(code_of([&] { window.push(host(g), out, freely); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { window.solve(std::span(&x, 1), out, freely); }) ==
          ErrorCode::invalid_argument);
    CHECK(Snapshot(window) == before);
  }

  TEST_CASE("a step that is cancelled between its passes changes nothing") {
    // Stops when the control is asked for the n-th time whether to.
    Random random(12);
    FisherWindow window(shape(400'000, 9, 1e-3));
    for (int step = 0; step < 12; ++step) {
      window.push(host(normal_floats(400'000, random)), {}, freely);
    }
    const auto g = normal_floats(400'000, random);
    const Snapshot before(window);
    std::vector<float> out(400'000);
    int stopped = 0;
    for (double limit = 0; limit < 0.05; limit += 0.0007) {
      RunControl control;
      control.threads = 2;
      control.time_limit = limit;
      FisherWindow& w = window;
      try {
        w.push(host(g), out, control);
        break;
      } catch (const Cancelled&) {
        ++stopped;
        CHECK(Snapshot(w) == before);
      }
    }
    CHECK(stopped > 0);
  }

  TEST_CASE("impossible windows") {
    const auto refused = [](std::size_t d, std::size_t m, double damping) {
      return code_of([&] { FisherWindow window(shape(d, m, damping)); });
    };
    CHECK(refused(0, 3, 1) == ErrorCode::invalid_argument);
    CHECK(refused(3, 0, 1) == ErrorCode::invalid_argument);
    CHECK(refused(3, 3, 0) == ErrorCode::invalid_argument);
    CHECK(refused(3, 3, std::nan("")) == ErrorCode::invalid_argument);
    CHECK(refused(1UL << 45, 3, 1) == ErrorCode::out_of_memory);
    CHECK(refused(3, 1UL << 32, 1) == ErrorCode::out_of_memory);
    CHECK(refused(1UL << 52, 1UL << 52, 1) == ErrorCode::out_of_memory);
  }

  TEST_CASE("bytes tell the window, and what belongs to it") {
    for (const Storage storage : {Storage::float32, Storage::bfloat16, Storage::int8}) {
      FisherWindow window(shape(300'000, 40, 1e-3, storage));
      const double plain = 300'000.0 * 40 * static_cast<double>(element_bytes(storage));
      CHECK(static_cast<double>(window.window_bytes()) >= plain);
      CHECK(static_cast<double>(window.window_bytes()) <= 1.02 * plain + (2 << 20));
      CHECK(window.bytes() >= window.window_bytes() + 3UL * 8 * 40 * 40);
      CHECK(static_cast<double>(window.bytes()) <= 1.1 * plain + (4 << 20));
    }
  }
}
