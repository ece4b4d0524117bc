// ADMM on the GPU against ADMM on the CPU: the same iterates, and the same certified optimum.
#include <doctest/doctest.h>

#include <cstdlib>

#include "algebra_under_test.hpp"
#include "running_admm.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

/// Iterates on both, `check` after each `every` iterations.
template <class Real, class Check>
void compare(AdmmCase& problem, int iterations, int every, Check check) {
  CAPTURE(static_cast<int>(problem.loss));
  CAPTURE(static_cast<int>(problem.route));
  CAPTURE(problem.shape.sets);
  CAPTURE(problem.shape.outputs);
  const auto device = algebra_under_test<Real>();
  CpuAlgebra<Real> host(1);
  RunningAdmm<Real> on_device(*device, problem), on_host(host, problem);
  for (int k = 1; k <= iterations; ++k) {
    on_device.admm->iterate();
    on_host.admm->iterate();
    if (k % every == 0) check(on_device, on_host);
  }
}

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

}  // namespace

TEST_SUITE("ADMM on CUDA") {
  TEST_CASE("in float64 the iterates are the CPU's, for every route, loss and model") {
    for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
      for (const Loss loss : all_losses) {
        for (const std::size_t sets : {1U, 2U}) {
          AdmmCase problem({41, 3, 7, loss == Loss::softmax ? 3U : 2U, sets}, loss, route, 1);
          compare<double>(problem, 8, 4, [](auto& on_device, auto& on_host) {
            const Bounds a = on_device.bounds(), b = on_host.bounds();
            CHECK(error(on_device.v(), on_host.v()) < 1e-9);
            CHECK(a.objective == doctest::Approx(b.objective).epsilon(1e-9));
            CHECK(a.dual == doctest::Approx(b.dual).epsilon(1e-8));
            CHECK(std::abs(a.infeasibility - b.infeasibility) < 1e-9);
            CHECK(on_device.admm->needs_multipliers() == on_host.admm->needs_multipliers());
            CHECK(on_device.admm->group_balance() ==
                  doctest::Approx(on_host.admm->group_balance()).epsilon(1e-9));
            CHECK(on_device.admm->loss_balance() ==
                  doctest::Approx(on_host.admm->loss_balance()).epsilon(1e-9));
          });
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("it comes to the same optimum within the certificate", Real, float, double) {
    for (const std::size_t sets : {1U, 2U}) {
      AdmmCase problem({37, 3, 6, 1, sets}, Loss::squared, Route::woodbury, 2);
      const auto device = algebra_under_test<Real>();
      CpuAlgebra<Real> host(1);
      RunningAdmm<Real> on_device(*device, problem), on_host(host, problem);
      for (auto* run : {&on_device, &on_host}) {
        if (sets == 1) iterate_balanced(*run->admm, 400);
        for (int k = 0; sets == 2 && k < 400; ++k) run->admm->iterate();
      }
      const Bounds a = on_device.bounds(), b = on_host.bounds();
      const double precise = sizeof(Real) == 4 ? 1e-3 : 1e-6;
      const double allowed = sets == 1 ? precise : 5e-3;  // cones take longer
      CHECK(a.objective - a.dual < allowed * b.objective);
      CHECK(a.infeasibility < allowed);
      CHECK(a.dual <= b.objective * (1 + allowed));
      CHECK(b.dual <= a.objective * (1 + allowed));
    }
  }

  TEST_CASE_TEMPLATE("recorded as graphs, iterations have the same bits", Real, float, double) {
    constexpr const char* setting = "SECONDORDER_CUDA_GRAPHS";
    for (const auto& [route, loss] :
         {std::pair{Route::woodbury, Loss::logistic}, {Route::gram, Loss::squared}}) {
      AdmmCase problem({141, 12, 33, 2, 2}, loss, route, 4);
      const auto state = [&] {
        const auto algebra = algebra_under_test<Real>();
        RunningAdmm<Real> run(*algebra, problem);
        for (int k = 1; k <= 12; ++k) {
          run.admm->iterate();
          if (k % 4 == 0) run.admm->set_penalties(1.0 / k, 0.5);
        }
        return run.state();
      };
      const std::vector<Real> recorded = state();
      setenv(setting, "0", 1);
      const std::vector<Real> direct = state();
      unsetenv(setting);
      CHECK(identical(recorded, direct));
    }
  }

  TEST_CASE("a change of penalties keeps to the CPU's path") {
    AdmmCase problem({41, 4, 66, 2, 2}, Loss::logistic, Route::woodbury, 3);
    problem.group = 2;
    compare<double>(problem, 6, 3, [](auto& on_device, auto& on_host) {
      for (auto* run : {&on_device, &on_host}) run->admm->set_penalties(0.3, 0.7);
      CHECK(error(on_device.v(), on_host.v()) < 1e-9);
    });
  }
}
