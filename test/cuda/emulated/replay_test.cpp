// Operations recorded as graphs: the same bits, fewer calls, and the way back wherever recording
// fails.
#include <cuda_runtime.h>
#include <doctest/doctest.h>

#include <thread>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "checks/gated_checks.hpp"
#include "device.hpp"
#include "emulated_settings.hpp"
#include "running_admm.hpp"

using namespace secondorder;
using namespace secondorder::cuda;
using namespace secondorder::test;
using convex_relu::Route;

namespace {

template <class Real>
std::unique_ptr<Algebra<Real>> algebra_with(bool graphs, Products products = Products::float32) {
  CudaSettings settings = emulated_settings();
  settings.graphs = graphs;
  settings.products = products;
  return make_cuda_algebra<Real>(settings);
}

/// What a run comes to by way of changed penalties and of bounds, which use the same memory.
template <class Real>
std::vector<Real> outcome(Algebra<Real>& algebra, AdmmCase& problem, int changes = 2) {
  RunningAdmm<Real> run(algebra, problem);
  for (int k = 1; k <= 6 * changes; ++k) {
    run.admm->iterate();
    if (k % 6 == 0) run.admm->set_penalties(1.0 / k, 0.2 + 1.0 / k);
    if (k % 4 == 0 && !problem.signed_gates) run.bounds();
  }
  return run.state();
}
/// Of six iterations with the same penalties the first is measured.
constexpr std::uint64_t graphs_between_changes = 5;

/// Calls into the device since it was made.
struct Calls {
  std::uint64_t before = emulation::launches(), graphs_before = emulation::graph_launches();
  std::uint64_t launches() const { return emulation::launches() - before; }
  std::uint64_t graphs() const { return emulation::graph_launches() - graphs_before; }
};

/// A refusal while it lives.
struct Refusing {
  explicit Refusing(emulation::Refusal refusal) { emulation::set_refusal(refusal); }
  ~Refusing() { emulation::set_refusal(emulation::Refusal::nothing); }
  Refusing(const Refusing&) = delete;
  Refusing& operator=(const Refusing&) = delete;
};

/// y += x by replay.
struct Addition {
  Algebra<double>& algebra;
  Placed<double> x, y;
  Recording recording;
  explicit Addition(Algebra<double>& a) : algebra(a), x(a, ones()), y(a, ones()) {}
  void operator()() {
    algebra.replay(recording, [&] { algebra.axpby(1, x, 1, y); });
  }
  double sum() const { return y.flat().front(); }

 private:
  static Matrix<double> ones() {
    Matrix<double> one(1, 1);
    one(0, 0) = 1;
    return one;
  }
};

}  // namespace

TEST_SUITE("CUDA replay, emulated") {
  TEST_CASE_TEMPLATE("a recorded iteration has the bits of a direct one", Real, float, double) {
    const auto recording = algebra_with<Real>(true), direct = algebra_with<Real>(false);
    const auto compare = [&](AdmmCase problem, std::uint64_t graphs) {
      CAPTURE(static_cast<int>(problem.route));
      CAPTURE(static_cast<int>(problem.loss));
      CAPTURE(problem.shape.sets);
      CAPTURE(problem.shape.outputs);
      CAPTURE(problem.signed_gates);
      const Calls calls;
      const std::vector<Real> got = outcome(*recording, problem);
      CHECK(calls.graphs() == graphs);
      CHECK(identical(got, outcome(*direct, problem)));
      CHECK(calls.graphs() == graphs);
    };
    enum class Kind { gated, relu, of_signs };
    const auto recorded = [&](Route route, Loss loss, Kind kind) {
      AdmmCase problem({23, 3, 7, 2, kind == Kind::relu ? 2U : 1U}, loss, route, 1);
      problem.signed_gates = kind == Kind::of_signs;
      compare(problem, 2 * graphs_between_changes);
    };
    recorded(Route::woodbury, Loss::squared, Kind::relu);
    recorded(Route::woodbury, Loss::logistic, Kind::gated);
    recorded(Route::woodbury, Loss::softmax, Kind::of_signs);
    recorded(Route::gram, Loss::squared, Kind::of_signs);
    recorded(Route::gram, Loss::logistic, Kind::relu);
    recorded(Route::gram, Loss::softmax, Kind::gated);
    // as many outputs as are solved for by cuBLAS
    compare({{23, 3, 7, 18, 2}, Loss::squared, Route::woodbury, 3}, 2 * graphs_between_changes);
    // takes numbers to the host
    compare({{11, 2, 4, 1, 1}, Loss::squared, Route::conjugate_gradient, 3}, 0);
  }

  TEST_CASE("so has one in TF32") {
    const auto recording = algebra_with<float>(true, Products::tf32);
    const auto direct = algebra_with<float>(false, Products::tf32);
    AdmmCase problem({41, 5, 9, 2, 2}, Loss::squared, Route::woodbury, 3);
    const std::vector<float> rough = outcome(*recording, problem);
    CHECK(identical(rough, outcome(*direct, problem)));
    CHECK(rough != outcome(*algebra_with<float>(true), problem));
  }

  TEST_CASE("an iteration is one call") {
    const auto algebra = algebra_with<double>(true);
    AdmmCase problem({41, 3, 7, 2, 2}, Loss::logistic, Route::woodbury, 1);
    RunningAdmm<double> run(*algebra, problem);
    const Calls first;
    run.admm->iterate();
    const std::uint64_t each = first.launches();
    CHECK(each > 15);
    run.admm->iterate();
    const Calls rest;
    for (int k = 0; k < 50; ++k) run.admm->iterate();
    CHECK(rest.launches() == 0);
    CHECK(rest.graphs() == 50);
  }

  TEST_CASE("work that launches don't bound is not recorded") {
    const auto algebra = algebra_with<double>(true);
    Random random(1);
    for (const auto& [order, graphs] : {std::pair{600U, 0U}, {60U, 3U}}) {
      const Placed<double> a(*algebra, Matrix<double>::normal(order, order, random));
      const Placed<double> c(*algebra, order, order);
      Recording recording;
      const Calls calls;
      for (int k = 0; k < 4; ++k) {
        algebra->replay(recording,
                        [&] { algebra->multiply(1, a, Transpose::no, a, Transpose::no, 0, c); });
      }
      CHECK(calls.graphs() == graphs);
    }
  }

  TEST_CASE("where recording is refused, the operations are called") {
    AdmmCase problem({23, 3, 7, 2, 2}, Loss::logistic, Route::gram, 1);
    const auto want = outcome(*algebra_with<double>(false), problem);
    const emulation::Held before = emulation::held();
    {
      const auto algebra = algebra_with<double>(true);
      for (const auto refusal : {emulation::Refusal::library, emulation::Refusal::instantiation}) {
        const Refusing refusing(refusal);
        const emulation::Held own = emulation::held();
        const Calls calls;
        CHECK(identical(outcome(*algebra, problem), want));
        CHECK(calls.graphs() == 0);
        CHECK(emulation::held().graphs == own.graphs);
        CHECK(cudaGetLastError() == cudaSuccess);
      }
      const Calls calls;
      CHECK(identical(outcome(*algebra, problem), want));
      CHECK(calls.graphs() == 2 * graphs_between_changes);
    }
    CHECK(emulation::held() == before);
  }

  TEST_CASE("a capture that is cancelled does nothing, and leaves the algebra as it was") {
    const auto algebra = algebra_with<double>(true);
    Addition add(*algebra);
    add();
    RunControl control;
    algebra->watch(&control);
    CHECK_THROWS_AS(algebra->replay(add.recording,
                                    [&] {
                                      algebra->axpby(1, add.x, 1, add.y);
                                      control.cancel();
                                      algebra->axpby(1, add.x, 1, add.y);
                                    }),
                    Cancelled);
    algebra->watch(nullptr);
    CHECK(add.sum() == 2);
    const Calls calls;
    for (int k = 0; k < 3; ++k) add();
    CHECK(calls.graphs() == 3);
    CHECK(add.sum() == 5);
    algebra->watch(&control);
    CHECK_THROWS_AS(add(), Cancelled);  // between launches of the graph
    algebra->watch(nullptr);
    CHECK(add.sum() == 5);
  }

  TEST_CASE("other failures in a capture: the operations are called, and fail themselves") {
    const auto algebra = algebra_with<double>(true);
    Addition add(*algebra);
    add();
    SUBCASE("numbers can't be taken to the host there") {  // which breaks the rules of replay()
      double product = 0;
      algebra->replay(add.recording, [&] { product = algebra->dot(add.x, add.y); });
      CHECK(product == 2);
    }
    SUBCASE("memory can't be taken") {
      std::unique_ptr<Memory> memory;
      algebra->replay(add.recording, [&] { memory = algebra->allocate(64); });
      CHECK(memory != nullptr);
    }
    SUBCASE("errors of the operations themselves") {
      int times = 0;
      const auto fail = [&] {
        ++times;
        throw Error(ErrorCode::cuda, "the device is gone");
      };
      CHECK_THROWS_AS(algebra->replay(add.recording, fail), Error);
      CHECK(times == 2);
    }
    const Calls calls;
    add();
    CHECK(calls.graphs() == 0);
    CHECK(add.sum() == 3);
  }

  TEST_CASE("scratch that has moved since is not written to") {
    const auto algebra = algebra_with<float>(true);
    Random random(3);
    GatedInstance<float> small({20, 4, 7, 2}, random), large({500, 4, 70, 2}, random);
    const Placed<float> x(*algebra, small.x), u(*algebra, small.u), out(*algebra, 20, 2);
    const PlacedBits<float> gates(*algebra, small.gates);
    Recording recording;
    const auto forward = [&] {
      algebra->fill(out, 7);
      algebra->replay(recording, [&] { algebra->gated_forward(x, gates, u, out); });
      check_close(out, small.forward(), rounding<float>);
    };
    for (int k = 0; k < 3; ++k) forward();
    const Placed<float> large_x(*algebra, large.x), large_u(*algebra, large.u);
    const Placed<float> large_out(*algebra, 500, 2);
    algebra->gated_forward(large_x, PlacedBits<float>(*algebra, large.gates), large_u, large_out);
    const Calls calls;
    for (int k = 0; k < 3; ++k) forward();
    CHECK(calls.graphs() == 3);
    CHECK(calls.launches() == 3 + 2);  // the fills, and one more capture
  }

  TEST_CASE("the host keeps no further ahead than it does by direct calls") {
    std::uint64_t waits[2] = {};
    for (const bool graphs : {false, true}) {
      const auto algebra = algebra_with<double>(graphs);
      Addition add(*algebra);
      const std::uint64_t before = emulation::synchronizations();
      for (int k = 0; k < 12'000; ++k) add();
      waits[graphs ? 1 : 0] = emulation::synchronizations() - before;
    }
    CHECK(waits[0] >= 3);
    CHECK(waits[1] == waits[0]);
  }

  TEST_CASE("captures wait for nothing, however much is queued before them") {
    const auto algebra = algebra_with<double>(true);
    Addition add(*algebra);
    const Calls calls;
    for (int k = 0; k < 2000; ++k) {
      add.recording.reset();
      add();
      add();
    }
    CHECK(calls.graphs() == 2000);
  }

  TEST_CASE("two algebras record at the same time") {
    AdmmCase problem({23, 3, 7, 2, 2}, Loss::logistic, Route::woodbury, 5);
    const auto want = outcome(*algebra_with<double>(false), problem, 4);
    std::vector<double> got[2];
    {
      std::vector<std::jthread> threads;
      for (std::vector<double>& own : got) {
        threads.emplace_back(
            [&own, problem]() mutable { own = outcome(*algebra_with<double>(true), problem, 4); });
      }
    }
    for (const std::vector<double>& own : got) CHECK(identical(own, want));
  }
}
