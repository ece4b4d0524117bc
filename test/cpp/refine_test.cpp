// Whole runs with gate refinement: the optimum over all patterns of small instances, rounds that
// never lose, stops, warm starts, and reports that anybody can recompute.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "training_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

/// Gates between all neighbouring rays at which a sample's sign changes: every pattern of the plane
/// that a whole sector has. Those of single rays are limits of both sides.
std::vector<double> all_gates(const Problem& p) {
  std::vector<double> angles, gates;
  for (std::size_t k = 0; k < p.rows; ++k) {
    const double angle = std::atan2(p.x[2 * k], -p.x[2 * k + 1]);
    for (const double turned : {angle, angle > 0 ? angle - M_PI : angle + M_PI}) {
      angles.push_back(turned);
    }
  }
  std::sort(angles.begin(), angles.end());
  for (std::size_t i = 0; i < angles.size(); ++i) {
    const double next = i + 1 < angles.size() ? angles[i + 1] : angles[0] + 2 * M_PI;
    const double middle = 0.5 * (angles[i] + next);
    gates.push_back(std::cos(middle));
    gates.push_back(std::sin(middle));
  }
  return gates;
}

Problem refined_problem(Loss loss, ProblemShape shape, std::size_t width, std::uint64_t seed) {
  Problem p = random_training_problem(Model::relu, loss, shape, seed);
  p.options.refine.width = width;
  p.options.tolerance = 1e-5;
  p.options.max_iterations = 20000;
  return p;
}

Request drawn(const Problem& p, std::size_t gates) {
  Request request = p.request();
  request.options.gate_source = GateSource::gaussian;
  request.options.gates = gates;
  request.options.given_gates = {};
  return request;
}

void check_rounds(const Report& report) {
  REQUIRE(!report.rounds.empty());
  for (std::size_t i = 1; i < report.rounds.size(); ++i) {
    CHECK(report.rounds[i].round == report.rounds[i - 1].round + 1);
    CHECK(report.rounds[i].objective <= report.rounds[i - 1].objective);
    CHECK(report.rounds[i].pricing_ratio > 0);
  }
  CHECK(report.verdict.objective <= report.rounds.back().objective * (1 + 1e-6));
  CHECK(report.verdict.dual_bound <= report.verdict.objective * (1 + 1e-9));
}

void check_report(const Problem& p, const Result& result) {
  HostAlgebra host(1);
  const Verdict verdict = verify(result.model, result.certificate, p.data(), p.y, host);
  CHECK(result.report.verdict.objective == doctest::Approx(verdict.objective).epsilon(1e-12));
  CHECK(result.report.verdict.dual_bound == doctest::Approx(verdict.dual_bound).epsilon(1e-9));
  const double f =
      objective(result.model, p.data(), p.y, p.weights, p.options.loss, p.options.beta, host);
  CHECK(f == doctest::Approx(verdict.objective).epsilon(1e-12));
}

}  // namespace

TEST_SUITE("gate refinement") {
  TEST_CASE("reaches the optimum over all patterns") {
    for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge}) {
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(static_cast<int>(loss));
        CAPTURE(seed);
        Problem p = refined_problem(loss, {8, 2, 1, 1}, 12, seed);
        p.gates = all_gates(p);
        const auto reference = reference::solve_reference(as_reference(p));
        const double optimum = reference.primal_value / p.total_weight();
        const Result result = train<double>(drawn(p, 12), RunControl{});
        CHECK(result.report.verdict.objective <= optimum * (1 + 1e-3));
        CHECK(result.report.verdict.objective >= optimum * (1 - 1e-6));
        CHECK(result.report.pricing_ratio < 1.05);
        check_rounds(result.report);
        check_report(p, result);
      }
    }
  }

  TEST_CASE("rounds never lose; better than the gates it began with; float and double") {
    for (const Loss loss : all_losses) {
      CAPTURE(static_cast<int>(loss));
      const std::size_t outputs = loss == Loss::softmax ? 3 : 1;
      Problem p = refined_problem(loss, {60, 4, 10, outputs}, 10, 3);
      p.options.tolerance = 1e-3;
      const Result result = train<double>(p.request(), RunControl{});
      check_rounds(result.report);
      check_report(p, result);
      CHECK(result.report.verdict.infeasibility < 1e-3);
      const Result single = train<float>(p.request(), RunControl{});
      check_rounds(single.report);
      check_report(p, single);
      Problem sampled = p;
      sampled.options.refine.width = 0;
      const Result before = train<double>(sampled.request(), RunControl{});
      CHECK(before.report.rounds.empty());
      CHECK(std::isnan(before.report.pricing_ratio));
      CHECK(result.report.verdict.objective < before.report.verdict.objective);
    }
  }

  TEST_CASE("several outputs: neurons with vectors of outputs, and a bound that holds") {
    for (const Loss loss : all_losses) {
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(static_cast<int>(loss));
        CAPTURE(seed);
        Problem p = refined_problem(loss, {30, 3, 6, 3}, 8, seed);
        p.options.refine.keeps_width = true;
        p.options.tolerance = 1e-3;
        p.options.max_iterations = 2000;
        const Result result = train<double>(p.request(), RunControl{});
        check_rounds(result.report);
        check_report(p, result);
        CHECK(result.report.neurons <= 8);
        // Σ‖w‖‖a‖, whatever the groups say.
        double sum = 0;
        const std::size_t f = result.model.preprocessing.features(), m = result.model.neurons();
        for (std::size_t j = 0; j < m; ++j) {
          double w = 0, a = 0;
          for (std::size_t l = 0; l < f; ++l) {
            w += result.model.hidden[j * f + l] * result.model.hidden[j * f + l];
          }
          for (std::size_t o = 0; o < 3; ++o) {
            a += result.model.output[o * m + j] * result.model.output[o * m + j];
          }
          sum += std::sqrt(w * a);
        }
        CHECK(penalty(result.model) == doctest::Approx(sum).epsilon(1e-12));
      }
    }
  }

  TEST_CASE("the width is kept where asked, and the status says what that cost") {
    bool limited = false;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      Problem p = refined_problem(Loss::squared, {60, 5, 12, 1}, 12, seed);
      p.options.tolerance = 1e-4;
      p.options.beta = 1e-3;
      p.options.refine.keeps_width = true;
      const Result result = train<double>(p.request(), RunControl{});
      CHECK(result.report.neurons <= 12);
      const bool within = result.report.verdict.gap <= 1e-4;
      if (result.report.status == Status::converged) CHECK(within);
      if (result.report.status == Status::width_limit) CHECK(!within);
      limited = limited || result.report.status == Status::width_limit;
      p.options.refine.keeps_width = false;
      const Result free = train<double>(p.request(), RunControl{});
      CHECK(free.report.status == Status::converged);
      CHECK(free.report.verdict.gap <= 1e-4);
      CHECK(free.report.verdict.objective <= result.report.verdict.objective * (1 + 1e-12));
    }
    CHECK(limited);
  }

  TEST_CASE("the same for a seed and any number of threads; another for another seed") {
    const Problem p = refined_problem(Loss::squared, {50, 3, 6, 1}, 6, 4);
    const auto trained = [&](int threads, std::uint64_t seed) {
      Request request = drawn(p, 6);
      request.options.seed = seed;
      RunControl control;
      control.threads = threads;
      return train<float>(request, control).model.hidden;
    };
    const std::vector<double> once = trained(1, 5);
    CHECK(once == trained(1, 5));
    CHECK(once == trained(3, 5));
    CHECK(once != trained(1, 6));
  }

  TEST_CASE("sample weights count like copies; samples of weight 0 like none") {
    for (const Loss loss : {Loss::squared, Loss::logistic}) {
      Problem p = refined_problem(loss, {8, 2, 1, 1}, 12, 2);
      Problem copied = p;
      copied.x.clear();
      copied.y.clear();
      for (std::size_t k = 0; k < p.rows; ++k) {
        p.weights.push_back(static_cast<double>(k % 3));
        for (std::size_t copy = 0; copy < k % 3; ++copy) {
          copied.x.insert(copied.x.end(), {p.x[2 * k], p.x[2 * k + 1]});
          copied.y.push_back(p.y[k]);
        }
      }
      copied.rows = copied.y.size();
      const Result weighted = train<double>(drawn(p, 12), RunControl{});
      const Result plain = train<double>(drawn(copied, 12), RunControl{});
      CHECK(weighted.report.verdict.objective ==
            doctest::Approx(plain.report.verdict.objective).epsilon(1e-3));
      check_report(p, weighted);
    }
  }

  TEST_CASE("from a trained network, and from a solution: never worse than that") {
    const Problem p = refined_problem(Loss::squared, {60, 4, 8, 1}, 8, 5);
    Problem one_round = p;
    one_round.options.refine.rounds = 1;
    one_round.options.refine.keeps_width = true;
    const Result first = train<double>(one_round.request(), RunControl{});
    Request again = p.request();
    again.warm_network = &first.model;
    const Result network = train<double>(again, RunControl{});
    CHECK(network.report.verdict.objective <= first.report.verdict.objective * (1 + 1e-9));
    check_rounds(network.report);
    again.warm_network = nullptr;
    again.warm_solution = &first.solution;
    const Result solution = train<double>(again, RunControl{});
    CHECK(solution.report.rounds.front().objective <= first.report.verdict.objective * 1.01);
    check_rounds(solution.report);
  }

  TEST_CASE("stopped within any round: its status, the best network so far, a bound that holds") {
    for (const bool aborted : {false, true}) {
      for (const double at : {0.0, 1.0, 3.0}) {
        CAPTURE(aborted);
        CAPTURE(at);
        const Problem p = refined_problem(Loss::squared, {400, 6, 20, 1}, 20, 6);
        RunControl control;
        double told = 0;
        control.on_progress = [&](std::span<const NamedNumber> figures) {
          if (std::string(figures[0].name) != "round") return;
          told = figures[2].value;
          if (figures[0].value != at) return;
          if (aborted) {
            control.cancel();
          } else {
            control.time_limit = 0;
          }
        };
        const Result result = train<float>(p.request(), control);
        CHECK(result.report.status == (aborted ? Status::aborted : Status::time_limit));
        CHECK(result.report.rounds.size() == static_cast<std::size_t>(at) + 1);
        CHECK(result.report.verdict.objective <= told * (1 + 1e-5));
        CHECK(result.report.verdict.dual_bound <= result.report.verdict.objective);
        CHECK(result.report.verdict.dual_bound > 0);
        check_report(p, result);
      }
    }
  }

  TEST_CASE("a penalty under which nothing pays gives the zero network") {
    Problem p = refined_problem(Loss::squared, {20, 3, 4, 1}, 4, 7);
    p.options.beta = 100;
    const Result result = train<double>(p.request(), RunControl{});
    CHECK(result.report.status == Status::converged);
    CHECK(result.report.neurons == 0);
  }
}
