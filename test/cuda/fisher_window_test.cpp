// M-FAC's dynamic algorithm with its gradients on a GPU, against dense H; and files that go from
// one device to the other.
#include "mfac/fisher_window.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "dense_window.hpp"
#include "device_under_test.hpp"

using namespace secondorder;
using namespace secondorder::test;
using mfac::FisherWindow;

namespace {

std::unique_ptr<RowWindow> device_rows(RowWindowShape shape) {
  return backend_under_test().row_window(device_under_test, shape);
}

/// A path for a file that is removed again.
struct TemporaryFile {
  std::string path;
  TemporaryFile()
      : path((std::filesystem::temp_directory_path() /
              ("secondorder-" + std::to_string(Random(std::random_device{}()).bits())))
                 .string()) {}
  ~TemporaryFile() { std::filesystem::remove(path); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
};

}  // namespace

TEST_SUITE("CUDA Fisher window") {
  TEST_CASE(
      "the gradient just pushed: 1e-5 at scale 100 and damping 1e-5, while filling and full") {
    for (const Storage storage :
         {Storage::float32, Storage::bfloat16, Storage::float16, Storage::int8}) {
      CAPTURE(std::string(name(storage)));
      FisherWindow window(shape(90, 16, 1e-5, storage), device_rows);
      Random random(1);
      double worst = 0;
      for (int step = 0; step < 24; ++step) {
        const auto u = push_and_solve(window, normal_floats(90, random, 100));
        const auto stored = stored_gradients(window).back();
        worst = std::max(worst, distance(u, dense_fisher(window).solve(stored)));
      }
      CHECK(worst <= 1e-6);
    }
  }

  TEST_CASE("any x, in float32 and float64, one and several, masked and in slices") {
    auto options = shape(70, 9, 1e-3);
    FisherWindow window(options, device_rows);
    Random random(5);
    const auto single = normal_floats(70, random);
    std::vector<double> twofold;
    for (int j = 0; j < 70; ++j) twofold.push_back(random.normal());
    for (int step = 0; step < 12; ++step) {
      CAPTURE(step);
      check_both_precisions(window, single, twofold);
      const auto g = normal_floats(70, random);
      const std::span<const float> parts(g);
      window.push_slice(30, parts.subspan(30, 40));
      window.push_slice(0, parts.first(30));
      std::vector<float> solution(70);
      window.commit(solution, freely);
      CHECK(distance(solution, dense_fisher(window).solve(widened(g))) < 1e-6);
    }
    options.active = {0, 7, 8, 31, 49};
    FisherWindow masked(options, device_rows), packed(shape(5, 9, 1e-3), device_rows);
    const auto g = normal_floats(70, random);
    std::vector<float> picked, got;
    for (const std::uint32_t j : options.active) picked.push_back(g[j]);
    const auto u = push_and_solve(masked, g);
    for (const std::uint32_t j : options.active) got.push_back(u[j]);
    CHECK(identical(got, push_and_solve(packed, picked)));
  }

  TEST_CASE("a window saved on one device goes on on the other") {
    const MakeRowWindow cpu;
    for (const Storage storage :
         {Storage::float32, Storage::bfloat16, Storage::float16, Storage::int8}) {
      CAPTURE(std::string(name(storage)));
      for (const bool from_device : {false, true}) {
        const TemporaryFile file, again;
        FisherWindow window(shape(2500, 5, 1e-3, storage), from_device ? device_rows : cpu);
        Random random(6);
        for (int step = 0; step < 8; ++step) {
          window.push(host(normal_floats(2500, random)), {}, freely);
        }
        window.save(file.path, freely);
        const auto other = FisherWindow::load(file.path, freely, from_device ? cpu : device_rows);
        CHECK(stored_gradients(*other) == stored_gradients(window));
        other->save(again.path, freely);
        CHECK(std::filesystem::file_size(file.path) == std::filesystem::file_size(again.path));
        const auto g = normal_floats(2500, random);
        const auto got = push_and_solve(*other, g), want = push_and_solve(window, g);
        CHECK(distance(got, widened(want)) < 1e-6);
        CHECK(stored_gradients(*other) == stored_gradients(window));
      }
    }
  }

  TEST_CASE("bad input and cancellation leave the window as it was") {
    FisherWindow window(shape(20'000, 5, 1e-3), device_rows);
    Random random(11);
    for (int step = 0; step < 7; ++step) {
      window.push(host(normal_floats(20'000, random)), {}, freely);
    }
    auto g = normal_floats(20'000, random);
    const auto stored = stored_gradients(window);
    const auto before = solve(window, host(g));
    std::vector<float> out(20'000);
    RunControl cancelled;
    cancelled.cancel();
    CHECK_THROWS_AS(window.push(host(g), out, cancelled), Cancelled);
    const HostVector x = host(g);
    CHECK_THROWS_AS(window.solve(std::span(&x, 1), out, cancelled), Cancelled);
    auto bad = g;
    bad[17'000] = std::nanf("");
    CHECK_THROWS_AS(window.push(host(bad), out, freely), Error);
    CHECK(stored_gradients(window) == stored);
    CHECK(identical(solve(window, host(g)), before));
    window.push(host(g), out, freely);
    CHECK(window.size() == 5);
  }
}
