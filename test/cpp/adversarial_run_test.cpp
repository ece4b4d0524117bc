// Runs of adversarial training: what is refused, and how they stop.
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "robust_reference.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

TEST_CASE("what adversarial training does not cover is refused by name") {
  const auto argument_of = [](auto change) {
    Problem problem = robust_training_problem(14, 2, Loss::hinge, 14);
    Request request = problem.request();
    change(request);
    try {
      train<double>(request, RunControl{});
    } catch (const Error& error) {
      CHECK(error.code == ErrorCode::invalid_argument);
      return error.argument;
    }
    return std::string();
  };
  CHECK(argument_of([](Request& r) { r.options.model = Model::gated; }) == "model");
  CHECK(argument_of([](Request& r) { r.options.loss = Loss::softmax; }) == "loss");
  CHECK(argument_of([](Request& r) { r.options.components = 1; }) == "components");
  CHECK(argument_of([](Request& r) { r.outputs = 2; }) == "y");
  CHECK(argument_of([](Request& r) { r.weights.assign(14, 0); }) == "sampleWeights");
}

TEST_CASE("an adversarial run stops when it is told to, with its best network") {
  Problem problem = robust_training_problem(400, 12, Loss::hinge, 15);
  problem.options.gates = 64;
  problem.options.tolerance = 1e-9;
  RunControl control;
  control.on_progress = [&](std::span<const NamedNumber>) { control.cancel(); };
  const Result result = train<float>(problem.request(), control);
  CHECK(result.report.status == Status::aborted);
  CHECK(result.model.neurons() > 0);
  HostAlgebra host(1);
  const Verdict verdict = verify(result.model, result.certificate, problem.data(), problem.y, host);
  CHECK(verdict.objective == doctest::Approx(result.report.verdict.objective));
  RunControl at_once;
  at_once.cancel();
  CHECK(train<float>(problem.request(), at_once).report.status == Status::aborted);
}
