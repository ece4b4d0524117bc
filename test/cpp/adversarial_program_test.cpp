// The robust program end to end: its optimum against a dense interior-point method, its
// certificate, its gates, and the worst case that its network really has.
#include <doctest/doctest.h>

#include "convex_relu/adversarial_gates.hpp"
#include "convex_relu/robust_verify.hpp"
#include "robust_reference.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

TEST_CASE("the robust program's optimum is that of an interior-point method") {
  for (const Loss loss : {Loss::hinge, Loss::logistic, Loss::squared}) {
    for (const bool weighted : {false, true}) {
      Problem problem = robust_training_problem(14, 2, loss, 3 + weighted);
      if (weighted) {
        Random random(9);
        for (std::size_t k = 0; k < problem.rows; ++k) {
          problem.weights.push_back(0.5 + random.uniform());
        }
      }
      const Result result = train_robustly(problem);
      const Verdict& verdict = result.report.verdict;
      CAPTURE(static_cast<int>(loss));
      CHECK(result.report.status == Status::converged);
      const double optimum = robust_optimum(problem, result.certificate.gates);
      CHECK(verdict.dual_bound <= optimum * (1 + 1e-9));
      CHECK(verdict.objective == doctest::Approx(optimum).epsilon(3e-6));
      // The robust cones hold, so the program's worst case is the network's.
      CHECK(corner_objective(result.model, problem) ==
            doctest::Approx(verdict.objective).epsilon(3e-6));
    }
  }
}

TEST_CASE("the robust bound holds for any dual point, and falls with a stronger adversary") {
  Problem problem = robust_training_problem(14, 2, Loss::hinge, 5);
  const Result result = train_robustly(problem);
  const double optimum = robust_optimum(problem, result.certificate.gates);
  HostAlgebra host(1);
  Random random(6);
  for (int trial = 0; trial < 200; ++trial) {
    Certificate other = result.certificate;
    const double size = trial % 2 == 0 ? 0.05 : 2;
    for (double& value : other.nu) value += size * random.normal();
    for (double& value : other.shifts) value += size * random.normal();
    for (double& value : other.mu) value += size * random.normal();
    const Verdict verdict = verify(result.model, other, problem.data(), problem.y, host);
    CHECK(verdict.dual_bound <= optimum * (1 + 1e-9));
  }
  double last = 0;
  for (const double epsilon : {0.05, 0.2, 0.5}) {
    problem.options.epsilon = epsilon;
    problem.options.gates = 1;
    const double objective = train_robustly(problem).report.verdict.objective;
    CHECK(objective >= last - 1e-6);
    last = objective;
  }
}

TEST_CASE("gates keep their distance from every sample, and the first is open everywhere") {
  Problem problem = robust_training_problem(30, 3, Loss::hinge, 7);
  HostAlgebra host(1);
  const Preprocessing preprocessing = fit_preprocessing(problem.data(), problem.options, host);
  const Gates gates = draw_robust_gates(problem.data(), preprocessing, problem.options, host);
  CHECK(gates.count > 1);
  CHECK(gates.count <= problem.options.gates);
  for (std::size_t i = 0; i < gates.count; ++i) {
    const double* gate = gates.rows.data() + i * 4;
    const double size = std::abs(gate[0]) + std::abs(gate[1]) + std::abs(gate[2]);
    for (std::size_t k = 0; k < problem.rows; ++k) {
      double value = gate[3];
      for (std::size_t j = 0; j < 3; ++j) value += gate[j] * problem.x[k * 3 + j];
      CHECK(std::abs(value) >= *problem.options.epsilon * size * (1 - 1e-12));
      if (i == 0) CHECK(value > 0);
    }
  }
}

TEST_CASE("samples of weight 0 take no part in adversarial training") {
  Problem problem = robust_training_problem(14, 2, Loss::hinge, 8);
  problem.options.tolerance = 1e-4;
  problem.weights.assign(14, 1);
  problem.weights[3] = problem.weights[9] = 0;
  const Result result = train_robustly(problem);
  CHECK(result.report.status == Status::converged);
  HostAlgebra host(1);
  const Verdict verdict = verify(result.model, result.certificate, problem.data(), problem.y, host);
  CHECK(verdict.dual_bound == doctest::Approx(result.report.verdict.dual_bound).epsilon(1e-9));
  CHECK(verdict.objective == doctest::Approx(result.report.verdict.objective).epsilon(1e-9));
}
