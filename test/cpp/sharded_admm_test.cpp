// ADMM in shards of gates against ADMM in one piece: the same iterates and the same certificate,
// whatever the cut; and what becomes of the other shards when one fails.
#include <doctest/doctest.h>

#include <thread>

#include "base/error.hpp"
#include "running_shards.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

/// A few iterations, other penalties, some more.
void check_run(AdmmCase& problem, std::size_t shards) {
  CAPTURE(static_cast<int>(problem.loss));
  CAPTURE(problem.shape.sets);
  CAPTURE(problem.shape.outputs);
  CAPTURE(problem.shape.gates);
  CAPTURE(shards);
  CpuAlgebra<double> algebra(1);
  RunningAdmm<double> whole(algebra, problem);
  RunningShards<double> cut(shards, problem, cpu_algebras<double>());
  CHECK(cut.admm->shards() == std::min(shards, problem.shape.gates));
  CAPTURE(static_cast<int>(problem.route));
  for (int k = 1; k <= 8; ++k) {
    whole.admm->iterate();
    cut.admm->iterate();
    if (k % 4 != 0) continue;
    const bool iterative = problem.route == Route::conjugate_gradient;
    CHECK((cut.admm->inner_iterations() > 0) == iterative);
    check_same(cut, whole, 1e-10);
    whole.admm->set_penalties(0.3, 0.7);
    cut.admm->set_penalties(0.3, 0.7);
  }
}

}  // namespace

TEST_SUITE("sharded ADMM") {
  TEST_CASE("1 to 3 shards give what one piece gives, for every loss, model and penalty") {
    for (const Loss loss : all_losses) {
      for (const std::size_t sets : {1U, 2U}) {
        for (const std::size_t outputs : {1U, 3U}) {
          if (loss == Loss::softmax && outputs == 1) continue;
          for (const std::size_t group : {std::size_t{1}, outputs}) {
            AdmmCase problem({41, 3, 7, outputs, sets}, loss, Route::woodbury, 1);
            problem.group = group;
            for (const std::size_t shards : {1U, 2U, 3U}) check_run(problem, shards);
          }
        }
      }
    }
  }

  TEST_CASE("gates beyond a word, an odd number of them, and fewer than shards") {
    for (const std::size_t gates : {1U, 3U, 129U, 200U}) {
      AdmmCase problem({30, 4, gates, 2, 2}, Loss::logistic, Route::woodbury, 2);
      for (const std::size_t shards : {2U, 3U, 5U}) check_run(problem, shards);
    }
  }

  TEST_CASE("a start from p, q and qz, and one from p alone") {
    AdmmCase problem({30, 4, 5, 3, 2}, Loss::softmax, Route::woodbury, 3);
    CpuAlgebra<double> algebra(1);
    RunningAdmm<double> whole(algebra, problem);
    RunningShards<double> cut(3, problem, cpu_algebras<double>());
    for (int k = 0; k < 5; ++k) whole.admm->iterate();
    const auto p = downloaded(algebra, whole.admm->p()), q = downloaded(algebra, whole.admm->q()),
               qz = downloaded(algebra, whole.admm->qz());
    cut.admm->start(1, 0.25, p, q, qz);
    CHECK(identical(cut.admm->p(), p));
    CHECK(identical(cut.q(), q));
    CHECK(identical(cut.admm->qz(), qz));
    whole.admm->iterate();
    cut.admm->iterate();
    check_same(cut, whole, 1e-10);
    whole.admm->start(2, 0.5, p, {}, {});
    cut.admm->start(2, 0.5, p, {}, {});
    whole.admm->iterate();
    cut.admm->iterate();
    check_same(cut, whole, 1e-10);
  }

  TEST_CASE("conjugate gradients in shards take the same steps, with the same preconditioner") {
    for (const Loss loss : {Loss::squared, Loss::logistic}) {
      for (const std::size_t sets : {1U, 2U}) {
        for (const std::size_t gates : {2U, 9U, 70U}) {
          AdmmCase problem({60, 4, gates, 2, sets}, loss, Route::conjugate_gradient, 4);
          for (const std::size_t shards : {1U, 2U, 3U}) check_run(problem, shards);
        }
      }
    }
  }

  TEST_CASE("in shards they come to a certified optimum") {
    AdmmCase problem({60, 4, 9, 2, 1}, Loss::logistic, Route::conjugate_gradient, 4);
    RunningShards<double> run(3, problem, cpu_algebras<double>());
    iterate_balanced(*run.admm, 400);
    const Bounds bounds = run.bounds();
    CHECK(bounds.dual <= bounds.objective * (1 + 1e-12));
    CHECK(bounds.objective - bounds.dual < 1e-6 * bounds.objective);
  }

  TEST_CASE("signed gates in shards") {
    AdmmCase problem({36, 3, 7, 2, 1}, Loss::squared, Route::woodbury, 5);
    CpuAlgebra<double> algebra(1);
    Matrix<double> signs(problem.shape.set_rows(), 1);
    for (std::size_t row = 0; row < signs.rows(); ++row) signs(row, 0) = row % 3 == 0 ? -1 : 1;
    const auto solve = [&](std::size_t shards) {
      const std::vector<GateRange> ranges = cut_gates(problem.shape.gates, shards);
      ShardTeam team(ranges.size());
      std::vector<double> all(problem.shape.set_rows() * problem.shape.features);
      team.run([&](std::size_t rank) {
        CpuAlgebra<double> own(1);
        const auto lay_out = [&](Arena& arena) {
          Program<double> whole(problem.shape);
          problem.describe(whole);
          Program<double> program =
              program_of_shard(whole, ranges[rank], true, problem.route, arena);
          program.signed_gates = true;
          program.signs = signs.view().block(ranges[rank].first * problem.shape.outputs,
                                             program.shape.set_rows());
          return program;
        };
        Arena counting;
        const Program<double> planned = lay_out(counting);
        const Admm<double> counted(own, counting, planned, problem.route, 1.6);
        Arena arena = poisoned_arena<double>(own, counting.bytes());
        Program<double> program = lay_out(arena);
        Admm<double> admm(own, arena, program, problem.route, 1.6, team.communicator(rank));
        problem.upload(own, program, ranges[rank]);
        admm.start(1);
        for (int k = 0; k < 10; ++k) admm.iterate();
        const std::vector<double> v = downloaded(own, admm.parameters());
        std::ranges::copy(
            v, all.data() + ranges[rank].first * problem.shape.outputs * problem.shape.features);
      });
      return all;
    };
    const std::vector<double> whole = solve(1);
    CHECK(std::ranges::any_of(whole, [](double value) { return value != 0; }));
    for (const std::size_t shards : {2U, 3U}) CHECK(error(solve(shards), whole) < 1e-10);
  }

  TEST_CASE("the same bits every time") {
    AdmmCase problem({50, 4, 70, 2, 2}, Loss::logistic, Route::woodbury, 6);
    std::vector<double> first;
    for (int repeat = 0; repeat < 5; ++repeat) {
      RunningShards<float> run(3, problem, cpu_algebras<float>());
      for (int k = 0; k < 20; ++k) run.admm->iterate();
      std::vector<double> v = run.admm->v();
      v.push_back(run.bounds().dual);
      if (repeat == 0) first = v;
      CHECK(identical(v, first));
    }
  }

  TEST_CASE("cancelled at any time, by all shards or one: none waits on, and the bounds hold") {
    AdmmCase problem({60, 4, 20, 2, 2}, Loss::logistic, Route::woodbury, 7);
    CpuAlgebra<double> algebra(1);
    RunningAdmm<double> whole(algebra, problem);
    for (int k = 0; k < 2000; ++k) whole.admm->iterate();
    REQUIRE(whole.bounds().infeasibility < 1e-4);
    const double above = whole.bounds().objective * (1 + 1e-3);
    for (int trial = 0; trial < 40; ++trial) {
      CAPTURE(trial);
      RunningShards<double> run(3, problem, cpu_algebras<double>());
      RunControl control;
      for (std::size_t s = 0; s < 3; ++s) {
        if (trial % 4 == 0 || s == static_cast<std::size_t>(trial % 4 - 1)) {
          run.algebras[s]->watch(&control);
        }
      }
      std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::microseconds(300 * trial));
        control.cancel();
      });
      bool cancelled = false;
      try {
        for (int k = 0;; ++k) {
          run.admm->iterate();
          if (k % 3 == 2) run.admm->set_penalties(k % 2 == 0 ? 1 : 0.5, 0.25);
        }
      } catch (const Cancelled&) {
        cancelled = true;
      }
      other.join();
      CHECK(cancelled);
      for (const auto& shard : run.algebras) shard->watch(nullptr);
      const Bounds bounds = run.bounds();
      CHECK(bounds.dual <= above);
      CHECK(std::isfinite(bounds.objective));
      run.admm->start(1);
      for (int k = 0; k < 3; ++k) run.admm->iterate();
      CHECK(run.bounds().dual <= above);
    }
  }

  TEST_CASE("a matrix that isn't positive definite in one shard's numbers fails the call for all") {
    AdmmCase problem({30, 3, 6, 1, 1}, Loss::squared, Route::woodbury, 8);
    RunningShards<double> run(2, problem, cpu_algebras<double>());
    const auto parts = run.admm->parts();
    parts[1].algebra.fill(parts[1].program.x, std::nan(""));
    try {
      run.admm->set_penalties(2, 1);
      FAIL("factored a matrix of NaNs");
    } catch (const Error& error) {
      CHECK(error.code == ErrorCode::numerical);
    }
    problem.upload(parts[1].algebra, parts[1].program, parts[1].gates);
    run.admm->start(1);
    run.admm->iterate();
    CHECK(std::isfinite(run.bounds().objective));
  }
}
