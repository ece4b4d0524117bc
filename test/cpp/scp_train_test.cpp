// Whole runs of the sampled convex program: bounds and optimality conditions by plain sums, an
// independent proximal gradient method, certificates, warm starts and stops.
#include <doctest/doctest.h>

#include <cmath>

#include "base/error.hpp"
#include "sampled_reference.hpp"

namespace secondorder::test {
namespace {

using namespace convex_relu;

TEST_CASE("sampled program: bound and objective enclose what plain sums give") {
  for (const Loss loss : one_output) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Problem p = sampled_problem(loss, seed);
      if (seed > 2) {
        Random random(seed);
        for (std::size_t k = 0; k < p.rows; ++k)
          p.weights.push_back(k % 5 == 0 ? 0 : random.uniform());
      }
      CAPTURE(static_cast<int>(loss));
      CAPTURE(seed);
      const Result result = train_sampled(p);
      const auto columns = plain_columns(p, drawn_directions(p));
      const Report& report = result.report;
      CHECK(report.status == Status::converged);
      CHECK(report.verdict.gap <= 1e-6);
      CHECK(report.verdict.infeasibility <= 1e-12);
      const double objective = plain_objective(p, columns, result.solution.p);
      CHECK(report.verdict.objective == doctest::Approx(objective).epsilon(1e-10));
      const double bound = plain_bound(p, columns, result.certificate.nu);
      CHECK(bound <= objective * (1 + 1e-12));
      CHECK(objective - bound <= 2e-6 * objective);
      CHECK(report.neurons == result.model.neurons());
      CHECK(report.neurons > 0);
    }
  }
}

TEST_CASE("sampled program: the optimum of a proximal gradient method, by group over outputs too") {
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::softmax}) {
    for (const std::size_t outputs : {1U, 3U}) {
      if (loss == Loss::softmax && outputs == 1) continue;
      CAPTURE(static_cast<int>(loss));
      CAPTURE(outputs);
      const Problem p = sampled_problem(loss, 7, outputs, 25);
      const Result result = train_sampled(p);
      CHECK(result.report.status == Status::converged);
      const double reached = proximal_gradient(p, plain_columns(p, drawn_directions(p)), 6000);
      CHECK(result.report.verdict.dual_bound <= reached * (1 + 1e-12));
      CHECK(result.report.verdict.objective == doctest::Approx(reached).epsilon(1e-4));
    }
  }
}

TEST_CASE("sampled program: optimality conditions column by column") {
  for (const Loss loss : {Loss::squared, Loss::logistic}) {
    Problem p = sampled_problem(loss, 11);
    p.options.tolerance = 1e-10;
    const Result result = train_sampled(p);
    REQUIRE(result.report.status == Status::converged);
    const auto columns = plain_columns(p, drawn_directions(p));
    const std::vector<double> q = slopes(p, columns, result.solution.p);
    const double beta = p.options.beta * p.total_weight();
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double alpha = result.solution.p[j];
      CHECK(std::abs(q[j]) <= beta * (1 + 1e-3));
      if (alpha != 0) CHECK(q[j] == doctest::Approx(alpha > 0 ? -beta : beta).epsilon(1e-3));
    }
  }
}

TEST_CASE("sampled program: the same numbers for any number of threads, and float32 near float64") {
  for (const Loss loss : one_output) {
    const Problem p = sampled_problem(loss, 13);
    const Result one = train_sampled(p, 1), three = train_sampled(p, 3);
    CHECK(one.solution.p == three.solution.p);
    CHECK(one.certificate.nu == three.certificate.nu);
    Problem loose = p;
    loose.options.tolerance = 1e-4;
    const Result rounded = train<float>(loose.request(), RunControl());
    CHECK(rounded.report.status == Status::converged);
    CHECK(rounded.report.verdict.objective ==
          doctest::Approx(one.report.verdict.objective).epsilon(2e-4));
  }
}

TEST_CASE("sampled program: given hidden vectors count by their directions") {
  Problem p = sampled_problem(Loss::squared, 15);
  const Result expected = train_sampled(p);
  p.gates = drawn_directions(p);
  for (std::size_t i = 0; i < p.gates.size(); ++i)
    p.gates[i] *= 1 + static_cast<double>(i / p.cols);
  const Result given = train_sampled(p);
  CHECK(given.certificate.drawn->count == 0);
  CHECK(given.certificate.gates.count == 60);
  CHECK(given.report.verdict.objective ==
        doctest::Approx(expected.report.verdict.objective).epsilon(1e-9));
}

TEST_CASE("sampled program: warm starts from its solution and from a network") {
  Problem p = sampled_problem(Loss::logistic, 17);
  const Result first = train_sampled(p);
  Request request = p.request();
  request.warm_solution = &first.solution;
  CHECK(train<double>(request, RunControl()).report.iterations == 0);
  request.options.beta *= 0.5;
  CHECK(train<double>(request, RunControl()).report.status == Status::converged);
  request = p.request();
  request.options.seed = 99;
  request.options.gates = 5;
  request.warm_network = &first.model;
  const Result from = train<double>(request, RunControl());
  CHECK(from.report.history.front().objective <= first.report.verdict.objective * (1 + 1e-9));
  CHECK(from.report.gates == 5 + first.model.neurons());
}

TEST_CASE("sampled program: a certificate that was tampered with proves less") {
  const Problem p = sampled_problem(Loss::squared, 19);
  Result result = train_sampled(p);
  HostAlgebra host(1);
  const auto check = [&] { return verify(result.model, result.certificate, p.data(), p.y, host); };
  const Verdict before = check();
  CHECK(before.gap == doctest::Approx(result.report.verdict.gap).epsilon(1e-6));
  result.model.hidden[0] += 0.5;
  CHECK(check().infeasibility > 1e-3);
  result.model.hidden[0] -= 0.5;
  result.certificate.nu[0] *= 3;
  CHECK(check().dual_bound < before.dual_bound);
}

TEST_CASE("sampled program: stops before and during its steps") {
  for (const Loss loss : one_output) {
    const Problem p = sampled_problem(loss, 21);
    RunControl before;
    before.cancel();
    const Result none = train<double>(p.request(), before);
    CHECK(none.report.status == Status::aborted);
    CHECK(none.model.neurons() == 0);
    CHECK(none.report.verdict.dual_bound <= none.report.verdict.objective);
    RunControl during;
    int events = 0;
    during.on_progress = [&](std::span<const NamedNumber>) {
      if (++events == 2) during.cancel();
    };
    const Result some = train<double>(p.request(), during);
    CHECK(some.report.status == Status::aborted);
    CHECK(some.report.history.size() == 2);
    CHECK(some.report.verdict.objective <= none.report.verdict.objective * (1 + 1e-12));
    CHECK(some.report.verdict.dual_bound <= some.report.verdict.objective);
    RunControl late;
    late.time_limit = 0;
    CHECK(train<double>(p.request(), late).report.status == Status::time_limit);
  }
}

TEST_CASE("sampled program: what it has no method for is refused by name") {
  const auto refused = [](const Problem& p) {
    try {
      train_sampled(p);
    } catch (const Error& error) {
      return error.argument;
    }
    return std::string();
  };
  Problem p = sampled_problem(Loss::hinge, 1, 2);
  CHECK(refused(p) == "loss");
  p = sampled_problem(Loss::squared, 1, 2);
  p.options.penalty = Penalty::neuron;
  CHECK(refused(p) == "penalty");
  p = sampled_problem(Loss::squared, 1);
  p.options.model = Model::gated;
  CHECK(refused(p) == "model");
}

}  // namespace
}  // namespace secondorder::test
