// Whole training runs against an independent solver: same optimum, honest bounds.
#include <doctest/doctest.h>

#include <string>

#include "training_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

std::string text(Loss loss) {
  constexpr const char* names[] = {"squared", "logistic", "hinge", "softmax"};
  return names[static_cast<int>(loss)];
}

/// Trains and compares with the reference; returns the result for more checks.
Result check_against_reference(const Problem& p) {
  constexpr double accuracy = 1e-6;
  const reference::ReferenceResult reference = reference::solve_reference(as_reference(p));
  const double total = p.total_weight();
  const double upper = reference.primal_value / total, lower = reference.dual_value / total;
  RunControl control;
  control.threads = 1;
  Result result = train<double>(p.request(), control);
  const Verdict& verdict = result.report.verdict;
  INFO("loss ", text(p.options.loss), ", route ", std::string(result.report.route));
  CAPTURE(p.options.model == Model::relu);
  CAPTURE(p.options.penalty == Penalty::gate);
  CAPTURE(p.rows);
  CAPTURE(p.cols);
  CAPTURE(p.outputs);
  CAPTURE(result.report.gates);
  CAPTURE(result.report.iterations);
  CAPTURE(verdict.gap);
  CAPTURE(verdict.infeasibility);
  CAPTURE(reference.relative_gap);
  CHECK(std::abs(reference.relative_gap) < 1e-7);
  CHECK(verdict.objective == doctest::Approx(upper).epsilon(accuracy).scale(1e-3));
  CHECK(verdict.dual_bound == doctest::Approx(lower).epsilon(accuracy).scale(1e-3));
  CHECK(verdict.dual_bound <= upper * (1 + 1e-9) + 1e-9);
  for (const Progress& progress : result.report.history) {
    CHECK(progress.dual_bound <= upper * (1 + 1e-9) + 1e-9);
  }
  return result;
}

/// Every loss with both models.
template <class Check>
void each_small_problem(ProblemShape shape, std::uint64_t seed, Check check) {
  for (const Loss loss : all_losses) {
    for (const Model model : {Model::relu, Model::gated}) {
      shape.outputs = loss == Loss::softmax ? 2 : 1;
      Problem p = random_training_problem(model, loss, shape, seed);
      check(p);
    }
  }
}

}  // namespace

TEST_SUITE("convex program") {
  TEST_CASE("random instances of every loss, both models") {
    for (const Loss loss : all_losses) {
      for (const Model model : {Model::relu, Model::gated}) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
          const std::size_t outputs = loss == Loss::softmax ? 3 : 1;
          check_against_reference(random_training_problem(
              model, loss, {12 + 6 * seed, 2 + seed % 3, 3 + seed, outputs}, seed));
        }
      }
    }
  }

  TEST_CASE("several outputs, both penalties, sample weights") {
    for (const Loss loss : all_losses) {
      for (const Model model : {Model::relu, Model::gated}) {
        for (const Penalty penalty : {Penalty::gate, Penalty::neuron}) {
          Problem p = random_training_problem(model, loss, {14, 3, 4, 2}, 7);
          p.options.penalty = penalty;
          check_against_reference(p);
          Random random(8);
          for (std::size_t k = 0; k < p.rows; ++k) p.weights.push_back(0.2 + 2 * random.uniform());
          check_against_reference(p);
        }
      }
    }
  }

  TEST_CASE("every route reaches the same optimum") {
    for (const Model model : {Model::relu, Model::gated}) {
      for (const Loss loss : {Loss::squared, Loss::logistic}) {
        for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
          Problem p = random_training_problem(model, loss, {18, 3, 5, 1}, 9);
          p.options.route = route;
          check_against_reference(p);
        }
      }
    }
  }

  TEST_CASE("samples of weight 0 take no part") {
    for (const Model model : {Model::relu, Model::gated}) {
      Problem p = random_training_problem(model, Loss::squared, {18, 3, 5, 1}, 10);
      p.weights.assign(p.rows, 1.5);
      p.weights[0] = p.weights[7] = p.weights[17] = 0;
      check_against_reference(p);
    }
  }

  TEST_CASE("repeated rows and gates") {
    each_small_problem({10, 3, 4}, 11, [](Problem& p) {
      p.x.insert(p.x.end(), p.x.begin(), p.x.end());
      p.y.insert(p.y.end(), p.y.begin(), p.y.end());
      p.gates.insert(p.gates.end(), p.gates.begin(), p.gates.end());
      p.rows *= 2;
      CHECK(check_against_reference(p).report.gates <= 4);
    });
  }

  TEST_CASE("a constant and a zero column") {
    each_small_problem({16, 4, 4}, 12, [](Problem& p) {
      for (std::size_t k = 0; k < p.rows; ++k) {
        p.x[k * 4 + 1] = 2;
        p.x[k * 4 + 3] = 0;
      }
      check_against_reference(p);
    });
  }

  TEST_CASE("more features than rows") {
    each_small_problem({4, 7, 3}, 13, [](Problem& p) { check_against_reference(p); });
  }

  TEST_CASE("one class only") {
    each_small_problem({12, 3, 4}, 14, [](Problem& p) {
      for (std::size_t i = 0; i < p.y.size(); ++i) {
        p.y[i] = p.options.loss == Loss::softmax && i % p.outputs != 0 ? 0 : 1;
      }
      check_against_reference(p);
    });
  }

  TEST_CASE("one row, one gate") {
    each_small_problem({1, 2, 1}, 15, [](Problem& p) {
      p.gates = p.x;  // open at that row
      check_against_reference(p);
    });
  }

  TEST_CASE("from beta_max on the network is empty") {
    for (const Loss loss : all_losses) {
      for (const Model model : {Model::relu, Model::gated}) {
        Problem p =
            random_training_problem(model, loss, {15, 3, 5, loss == Loss::softmax ? 3U : 1U}, 16);
        p.options.beta = 100;
        INFO("loss ", text(loss));
        const Result result = check_against_reference(p);
        CHECK(result.report.neurons == 0);
        CHECK(result.report.verdict.gap <= 1e-8);
        CHECK(result.report.status == Status::converged);
      }
    }
  }

  TEST_CASE("float32 comes as close as it can") {
    for (const Loss loss : all_losses) {
      for (const Model model : {Model::relu, Model::gated}) {
        Problem p =
            random_training_problem(model, loss, {20, 3, 5, loss == Loss::softmax ? 3U : 1U}, 17);
        p.options.tolerance = 1e-4;
        const double optimum =
            reference::solve_reference(as_reference(p)).primal_value / p.total_weight();
        const Result result = train<float>(p.request(), RunControl{});
        INFO("loss ", text(loss));
        CAPTURE(result.report.iterations);
        CHECK(result.report.status == Status::converged);
        CHECK(result.report.verdict.objective == doctest::Approx(optimum).epsilon(2e-4));
        CHECK(result.report.verdict.dual_bound <= optimum * (1 + 1e-7));
      }
    }
  }

  TEST_CASE("the same result, bit for bit, for 1 and 2 threads; limits and cancellation return") {
    Problem p = random_training_problem(Model::relu, Loss::logistic, {300, 4, 40, 1}, 18);
    p.options.max_iterations = 50;
    p.options.tolerance = 1e-6;
    RunControl one, two;
    one.threads = 1;
    two.threads = 2;
    const Result a = train<double>(p.request(), one), b = train<double>(p.request(), two);
    CHECK(identical(a.model.hidden, b.model.hidden));
    CHECK(identical(a.certificate.nu, b.certificate.nu));
    CHECK(a.report.verdict.objective == b.report.verdict.objective);
    CHECK(a.report.status == Status::iteration_limit);
    CHECK(a.report.iterations == 50);

    RunControl hurried;
    hurried.time_limit = 0;
    const Result stopped = train<double>(p.request(), hurried);
    CHECK(stopped.report.status == Status::time_limit);
    CHECK(stopped.report.iterations == 0);
    CHECK(std::isfinite(stopped.report.verdict.objective));

    RunControl cancelled;
    cancelled.on_progress = [&](std::span<const NamedNumber>) { cancelled.cancel(); };
    const Result aborted = train<double>(p.request(), cancelled);
    CHECK(aborted.report.status == Status::aborted);
    CHECK(aborted.report.iterations == p.options.check_every);
    CHECK(aborted.report.verdict.dual_bound <= aborted.report.verdict.objective);
  }
}
