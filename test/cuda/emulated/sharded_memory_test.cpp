// ADMM in shards where the GPUs have not enough memory for all of them.
#include <doctest/doctest.h>

#include "algebra_under_test.hpp"
#include "memory_limit.hpp"
#include "running_shards.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

struct TwoDevices {
  TwoDevices() { emulation::set_device_count(2); }
  ~TwoDevices() { emulation::set_device_count(1); }
  TwoDevices(const TwoDevices&) = delete;
  TwoDevices& operator=(const TwoDevices&) = delete;
};

}  // namespace

TEST_SUITE("sharded ADMM memory") {
  TEST_CASE("wherever memory runs out, shards are refused and the devices as they were") {
    const TwoDevices two;
    AdmmCase problem({60, 4, 9, 2, 2}, Loss::logistic, Route::woodbury, 1);
    const MakeAlgebra<double> on_both = [](std::size_t shard) {
      return algebra_under_test<double>(static_cast<int>(shard));
    };
    const auto before = emulation::held();
    int refused = 0;
    for (std::size_t limit = 512;; limit += 20'000) {
      const MemoryLimit limited(before.bytes + limit);
      const bool enough = !out_of_memory([&] {
        RunningShards<double> run(2, problem, on_both);
        run.admm->iterate();
        CHECK(std::isfinite(run.bounds().objective));
      });
      CHECK(emulation::held() == before);
      if (enough) break;
      ++refused;
    }
    CHECK(refused > 5);
  }

  TEST_CASE("iterations after the first allocate nothing on either GPU") {
    const TwoDevices two;
    AdmmCase problem({60, 4, 9, 2, 2}, Loss::logistic, Route::woodbury, 1);
    RunningShards<float> run(2, problem, [](std::size_t shard) {
      return algebra_under_test<float>(static_cast<int>(shard));
    });
    run.admm->iterate();
    const auto held = emulation::held();
    for (int k = 0; k < 3; ++k) run.admm->iterate();
    CHECK(emulation::held() == held);
  }
}
