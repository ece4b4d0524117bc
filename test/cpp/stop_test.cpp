// Runs that are stopped: by their time limit or an abort, before the first iteration or after it.
#include <doctest/doctest.h>

#include <thread>

#include "training_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

/// The report is what anybody finds from model, certificate and data.
void check_report(const Problem& p, const Result& result) {
  HostAlgebra host(1);
  const Verdict verdict = verify(result.model, result.certificate, p.data(), p.y, host);
  const Verdict& told = result.report.verdict;
  CHECK(told.objective == doctest::Approx(verdict.objective).epsilon(1e-12));
  CHECK(told.dual_bound == doctest::Approx(verdict.dual_bound).epsilon(1e-12).scale(1e-12));
  CHECK(told.gap == doctest::Approx(verdict.gap).epsilon(1e-12));
  CHECK(told.infeasibility == doctest::Approx(verdict.infeasibility).epsilon(1e-12));
}

Problem endless(Model model, Loss loss, std::uint64_t seed) {
  Problem p = random_training_problem(
      model, loss, {40, 4, 8, loss == Loss::softmax ? std::size_t{3} : std::size_t{2}}, seed);
  p.options.tolerance = -1;
  p.options.max_iterations = std::size_t{1} << 40;
  return p;
}

}  // namespace

TEST_SUITE("stop") {
  TEST_CASE("no time at all: the zero network, with what is true of it") {
    for (const Loss loss : all_losses) {
      for (const Model model : {Model::relu, Model::gated}) {
        for (const bool weighted : {false, true}) {
          CAPTURE(static_cast<int>(loss));
          CAPTURE(weighted);
          Problem p = endless(model, loss, 1);
          for (std::size_t k = 0; weighted && k < p.rows; ++k) {
            p.weights.push_back(static_cast<double>(k % 3));
          }
          RunControl control;
          control.time_limit = 0;
          const Result result = train<float>(p.request(), control);
          CHECK(result.report.status == Status::time_limit);
          CHECK(result.report.iterations == 0);
          CHECK(result.report.history.empty());
          CHECK(result.model.neurons() == 0);
          CHECK(result.report.verdict.gap == doctest::Approx(1));
          CHECK(result.report.verdict.dual_bound <= result.report.verdict.objective);
          check_report(p, result);
          HostAlgebra host(1);
          for (const double value : predict(result.model, p.data(), host)) CHECK(value == 0);
        }
      }
    }
  }

  TEST_CASE("aborted before the first iteration: the same, by its own name") {
    const Problem p = endless(Model::relu, Loss::squared, 2);
    RunControl control;
    control.cancel();
    const Result result = train<double>(p.request(), control);
    CHECK(result.report.status == Status::aborted);
    CHECK(result.report.iterations == 0);
    check_report(p, result);
  }

  TEST_CASE("a run stopped that early leaves the solution that it was to start from") {
    Problem p = random_training_problem(Model::relu, Loss::squared, {40, 4, 8, 1}, 3);
    p.options.max_iterations = 50;
    const Result first = train<double>(p.request(), RunControl{});
    Request again = p.request();
    again.warm_solution = &first.solution;
    RunControl control;
    control.time_limit = 0;
    const Result stopped = train<double>(again, control);
    CHECK(stopped.report.status == Status::time_limit);
    CHECK(identical(stopped.solution.p, first.solution.p));
    CHECK(identical(stopped.solution.gates.rows, first.solution.gates.rows));
    CHECK(stopped.solution.rho == first.solution.rho);
  }

  TEST_CASE("the limit strikes while gates are drawn and systems are factored") {
    // Set-up takes seconds: components of 1200 columns, and a factor of order 6000.
    Random random(4);
    Problem p;
    p.rows = 6000;
    p.cols = 1200;
    p.options.gates = 64;
    p.options.components = 50;
    p.options.route = Route::woodbury;
    for (std::size_t i = 0; i < p.rows * p.cols; ++i) p.x.push_back(random.uniform());
    for (std::size_t k = 0; k < p.rows; ++k) p.y.push_back(random.normal());
    Request request;
    request.data = p.data();
    request.y = p.y;
    request.options = p.options;
    request.options.max_iterations = 1;
    for (const double limit : {0.02, 0.2}) {
      CAPTURE(limit);
      RunControl control;
      control.threads = 2;
      control.time_limit = limit;
      const Result result = train<float>(request, control);
      CHECK(result.report.status == Status::time_limit);
      CHECK(result.report.iterations == 0);
      CHECK(result.report.seconds < limit + 1);
      check_report(p, result);
    }
  }

  TEST_CASE("after the first iteration: the last iterate, verified") {
    for (const Model model : {Model::relu, Model::gated}) {
      const Problem p = endless(model, Loss::logistic, 5);
      RunControl limited;
      limited.time_limit = 0.1;
      const Result late = train<double>(p.request(), limited);
      CHECK(late.report.status == Status::time_limit);
      CHECK(late.report.iterations > 0);
      CHECK(late.report.verdict.gap < 0.9);
      check_report(p, late);

      RunControl control;
      std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        control.cancel();
      });
      const Result aborted = train<double>(p.request(), control);
      other.join();
      CHECK(aborted.report.status == Status::aborted);
      CHECK(aborted.report.iterations > 0);
      check_report(p, aborted);
    }
  }
}
