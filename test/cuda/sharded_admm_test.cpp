// ADMM in shards on GPUs, as many as there are, against ADMM in one piece on the CPU.
#include <doctest/doctest.h>

#include "algebra_under_test.hpp"
#include "running_shards.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

/// One after another over the GPUs; several on one where there are fewer.
template <class Real>
MakeAlgebra<Real> on_devices() {
  return [](std::size_t shard) {
    const auto count = static_cast<std::size_t>(backend_under_test().device_count());
    return algebra_under_test<Real>(static_cast<int>(shard % count));
  };
}

}  // namespace

TEST_SUITE("sharded ADMM on CUDA") {
  TEST_CASE("in float64 the iterates are those of one piece on the CPU") {
    for (const Route route : {Route::woodbury, Route::conjugate_gradient}) {
      for (const Loss loss : {Loss::squared, Loss::logistic, Loss::softmax}) {
        for (const std::size_t sets : {1U, 2U}) {
          const bool relu = sets == 2;  // conjugate gradients once for each loss
          if (route == Route::conjugate_gradient && relu != (loss == Loss::logistic)) continue;
          AdmmCase problem({41, 3, 7, loss == Loss::softmax ? 3U : 1U, sets}, loss, route, 1);
          CAPTURE(static_cast<int>(route));
          CAPTURE(static_cast<int>(loss));
          CAPTURE(sets);
          CpuAlgebra<double> host(1);
          RunningAdmm<double> whole(host, problem);
          RunningShards<double> shards(3, problem, on_devices<double>());
          for (int k = 1; k <= 6; ++k) {
            whole.admm->iterate();
            shards.admm->iterate();
            if (k % 3 != 0) continue;
            check_same(shards, whole, 1e-9);
            whole.admm->set_penalties(0.4, 0.6);
            shards.admm->set_penalties(0.4, 0.6);
          }
        }
      }
    }
  }

  TEST_CASE("in float32 the same bits every time, of a certified optimum") {
    AdmmCase problem({37, 3, 6, 1, 1}, Loss::logistic, Route::woodbury, 2);
    RunningShards<float> run(2, problem, on_devices<float>());
    RunningShards<float> again(2, problem, on_devices<float>());
    iterate_balanced(*run.admm, 30);
    iterate_balanced(*again.admm, 30);
    CHECK(identical(run.admm->v(), again.admm->v()));
    iterate_balanced(*run.admm, 120);
    const Bounds bounds = run.bounds();
    CHECK(bounds.objective - bounds.dual < 1e-2 * bounds.objective);
  }

  TEST_CASE("cancelled on one GPU, all stop and can go on") {
    AdmmCase problem({30, 3, 6, 1, 2}, Loss::squared, Route::woodbury, 3);
    RunningShards<double> run(2, problem, on_devices<double>());
    RunControl control;
    control.cancel();
    run.algebras[1]->watch(&control);
    CHECK_THROWS_AS(run.admm->iterate(), Cancelled);
    run.algebras[1]->watch(nullptr);
    run.admm->iterate();
    CHECK(std::isfinite(run.bounds().objective));
  }
}
