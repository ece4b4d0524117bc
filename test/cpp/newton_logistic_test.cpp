// Constrained logistic regression, and the sketch preconditioner of its KKT systems.
#include <doctest/doctest.h>

#include <memory>

#include "base/error.hpp"
#include "newton/minimize.hpp"
#include "newton/problems/constrained_logistic_regression.hpp"
#include "newton_problem_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;
using newton::ConstrainedLogisticOptions;
using newton::ConstrainedLogisticRegression;
using newton::LinearSolver;
using newton::Problem;

namespace {

ConstrainedLogisticOptions logistic(std::size_t samples, std::size_t features, std::size_t rows,
                                    bool sphere, Random& random) {
  ConstrainedLogisticOptions o;
  o.x.rows = samples;
  o.x.cols = features;
  const std::vector<double> truth = normals(features, random);
  for (std::size_t i = 0; i < samples; ++i) {
    double t = 0;
    for (std::size_t j = 0; j < features; ++j) {
      const double value = random.below(3) == 0 ? random.normal() : 0;
      o.x.values.push_back(value);
      t += value * truth[j];
    }
    o.y.push_back(random.uniform() < 1 / (1 + std::exp(-t)) ? 1 : -1);
  }
  o.a = normals(rows * features, random);
  o.b = normals(rows, random);
  for (double& value : o.b) value *= 0.1;
  o.sphere = sphere;
  o.weight_decay = 0.01;
  return o;
}

ConstrainedLogisticOptions compressed(ConstrainedLogisticOptions o) {
  std::vector<double> values;
  o.x.row_offsets.push_back(0);
  for (std::size_t i = 0; i < o.x.rows; ++i) {
    for (std::size_t j = o.x.cols; j-- > 0;) {  // columns need not be sorted
      const double value = o.x.values[i * o.x.cols + j];
      if (value == 0) continue;
      values.push_back(value);
      o.x.columns.push_back(static_cast<std::int32_t>(j));
    }
    o.x.row_offsets.push_back(static_cast<std::int32_t>(values.size()));
  }
  o.x.values = values;
  return o;
}

}  // namespace

TEST_CASE("Logistic regression: derivatives, for dense and compressed data alike") {
  Random random(1);
  ThreadPool pool(1);
  const newton::RunSetting sketching{.pool = pool,
                                     .linear_solver = LinearSolver::sketch_preconditioner};
  for (const bool sphere : {false, true}) {
    auto o = logistic(300, 17, 3, sphere, random);
    ConstrainedLogisticRegression dense(o), sparse(compressed(o));
    ConstrainedLogisticRegression products(o), sparse_products(compressed(o));
    products.begin(sketching);
    sparse_products.begin(sketching);
    for (Problem* p : {static_cast<Problem*>(&dense), static_cast<Problem*>(&sparse),
                       static_cast<Problem*>(&products), static_cast<Problem*>(&sparse_products)}) {
      check_derivatives(*p, random);
    }
    const std::vector<double> w = normals(17, random), lambda = normals(sphere ? 4 : 3, random);
    const std::vector<double> v = normals(17, random);
    std::vector<double> product(17);
    sparse_products.hessian_product(w, 0.3, lambda, v, product);
    CHECK(error(hessian_times(dense, w, 0.3, lambda, v), product) < 1e-13);
    CHECK(error(hessian_times(sparse, w, 0.3, lambda, v), product) < 1e-13);
  }
}

TEST_CASE("Logistic regression: the objective is the mean loss, however large the margins") {
  Random random(2);
  auto o = logistic(50, 5, 0, false, random);
  ConstrainedLogisticRegression problem(o);
  const std::vector<double> w = normals(5, random);
  Wide sum = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    Wide t = 0;
    for (std::size_t j = 0; j < 5; ++j) t += Wide(o.x.values[i * 5 + j]) * w[j];
    sum += std::log1p(std::exp(-Wide(o.y[i]) * t)) / 50;
  }
  for (const double value : w) sum += Wide(0.005) * value * value;
  CHECK(problem.objective(w) == doctest::Approx(static_cast<double>(sum)).epsilon(1e-14));
  CHECK(std::isfinite(problem.objective(std::vector<double>(5, 1e6))));
  std::vector<double> g(5);
  problem.gradient(std::vector<double>(5, -1e6), g);
  for (const double value : g) CHECK(std::isfinite(value));
}

TEST_CASE("Logistic regression: the cheapest form of the Hessian is chosen") {
  const auto form = [](std::size_t samples, std::size_t features, bool sparse) {
    ConstrainedLogisticOptions o;
    o.x.rows = samples;
    o.x.cols = features;
    o.y.assign(samples, 1);
    if (sparse) {  // one entry in each row
      o.x.values.assign(samples, 1);
      o.x.columns.assign(samples, 0);
      for (std::size_t i = 0; i <= samples; ++i) {
        o.x.row_offsets.push_back(static_cast<std::int32_t>(i));
      }
    } else {
      o.x.values.assign(samples * features, 1);
    }
    ConstrainedLogisticRegression problem(o);
    return std::pair(problem.hessian_form(), problem.own_kkt_solver() != nullptr);
  };
  using newton::HessianForm;
  CHECK(form(2000, 20, false) == std::pair(HessianForm::values, false));
  CHECK(form(20000, 500, false) == std::pair(HessianForm::product, true));
  CHECK(form(600, 300, false) == std::pair(HessianForm::values, false));
  CHECK(form(20000, 300, true) == std::pair(HessianForm::values, false));
  CHECK(form(50, 20000, true) == std::pair(HessianForm::product, false));
}

TEST_CASE("Logistic regression: teams of every size give the same bits") {
  Random random(3);
  const auto o = logistic(9000, 30, 2, true, random);
  for (const auto& options : {o, compressed(o)}) {
    const auto evaluate = [&](int threads) {
      ThreadPool pool(threads);
      ConstrainedLogisticRegression problem(options);
      problem.begin({.pool = pool});
      const std::vector<double> w(30, 0.1), lambda{0.1, 0.2, 0.3};
      std::vector<double> out(problem.hessian_structure().size()), g(30);
      problem.hessian_values(w, 1, lambda, out);
      problem.gradient(w, g);
      out.insert(out.end(), g.begin(), g.end());
      out.push_back(problem.objective(w));
      return out;
    };
    CHECK(identical(evaluate(1), evaluate(3)));
  }
}

TEST_CASE("Logistic regression: the start is feasible where it can be") {
  Random random(4);
  for (const std::size_t rows : {0U, 3U}) {
    for (const bool sphere : {false, true}) {
      ConstrainedLogisticRegression problem(logistic(100, 9, rows, sphere, random));
      const std::vector<double> w = problem.start();
      std::vector<double> c(problem.constraints());
      problem.constraint(w, c);
      for (const double value : c) CHECK(std::abs(value) < 1e-12);
    }
  }
  auto o = logistic(100, 4, 1, true, random);
  o.b[0] = 1e3;  // outside of the sphere
  ConstrainedLogisticRegression outside(o);
  CHECK(distance(outside.start(), std::vector<double>(4, 0.0)) == doctest::Approx(1));
}

TEST_CASE("Logistic regression: refuses what doesn't fit") {
  Random random(5);
  const auto good = logistic(20, 3, 1, false, random);
  const auto refused = [&](auto change) {
    auto o = good;
    change(o);
    try {
      ConstrainedLogisticRegression problem(o);
    } catch (const Error& e) {
      return e.argument;
    }
    return std::string("accepted");
  };
  CHECK(refused([](auto& o) { o.y[3] = 0; }) == "y");
  CHECK(refused([](auto& o) { o.y.pop_back(); }) == "y");
  CHECK(refused([](auto& o) { o.a.pop_back(); }) == "a");
  CHECK(refused([](auto& o) { o.b[0] = std::nan(""); }) == "b");
  CHECK(refused([](auto& o) { o.x.values[7] = std::nan(""); }) == "x");
  CHECK(refused([](auto& o) { o.x.values.pop_back(); }) == "x");
  CHECK(refused([](auto& o) { o.weight_decay = -1; }) == "weightDecay");
  CHECK(refused([](auto& o) {
          o = compressed(o);
          o.x.columns[0] = 3;
        }) == "x");
  CHECK(refused([](auto& o) {
          o = compressed(o);
          o.x.row_offsets[1] = 99999;
        }) == "x");
  CHECK(refused([](auto& /*o*/) {}) == "accepted");
}

TEST_CASE("The sketch preconditioner solves the systems of tall data in few steps") {
  Random random(6);
  ThreadPool pool(2);
  for (const bool sparse : {false, true}) {
    const auto o = logistic(8000, 40, 5, true, random);
    ConstrainedLogisticRegression problem(sparse ? compressed(o) : o);
    problem.begin({.pool = pool, .linear_solver = LinearSolver::sketch_preconditioner, .seed = 3});
    const std::vector<double> w = problem.start();
    std::vector<double> lambda = normals(6, random);
    lambda.back() = 0.05;
    ProblemSystem k(problem, w, lambda);
    for (const double delta_c : {0.0, 1e-8}) {
      k.system.delta_c = delta_c;
      const auto solver = problem.own_kkt_solver();
      REQUIRE(solver);
      CHECK(solver->name() == "sketch-preconditioner");
      CHECK_FALSE(solver->prepare(k.system).has_value());
      const std::vector<double> b = normals(46, random);
      std::vector<double> x(46, 0.0);
      const auto rough = solver->solve(b, 1e-2, x);
      CHECK(rough.reached);
      CHECK(rough.steps <= 20);
      const auto fine = solver->solve(b, 1e-10, x);
      CHECK(fine.reached);
      CHECK(fine.steps <= 80);
      CHECK(residual(k.system, b, x) <= 1e-10);
    }
    // wrong curvature on the null space is told, and regularized away
    lambda.back() = -5;
    ProblemSystem concave(problem, w, lambda);
    const auto solver = problem.own_kkt_solver();
    const auto inertia = solver->prepare(concave.system);
    REQUIRE(inertia.has_value());
    CHECK(inertia->positive < 40);
    std::vector<double> x(46, 0.0);
    CHECK_FALSE(solver->solve(normals(46, random), 1e-6, x).reached);
    concave.system.delta_w = 11;
    CHECK_FALSE(solver->prepare(concave.system).has_value());
    CHECK(solver->solve(normals(46, random), 1e-6, x).reached);
    // another Hessian than that of the data: the identity
    concave.system.delta_w = 0;
    concave.system.hessian_product = [](auto v, auto out) {
      std::copy(v.begin(), v.end(), out.begin());
    };
    CHECK_FALSE(solver->prepare(concave.system).has_value());
    std::fill(x.begin(), x.end(), 0.0);
    const auto direct = solver->solve(normals(46, random), 1e-10, x);
    CHECK(direct.reached);
    CHECK(direct.steps <= 3);
  }
}

TEST_CASE("Logistic regression: minimize finds the same minimum by every solver") {
  Random random(10);
  const auto o = logistic(6000, 30, 4, true, random);
  ConstrainedLogisticRegression problem(compressed(o));
  const std::vector<double> start = problem.start();
  double objective = 0;
  for (const LinearSolver solver :
       {LinearSolver::automatic, LinearSolver::ldl, LinearSolver::sketch_preconditioner,
        LinearSolver::minres, LinearSolver::nystrom_minres, LinearSolver::countsketch}) {
    CAPTURE(std::string(name(solver)));
    newton::Options options;
    options.tolerance = 1e-7;
    options.linear_solver = solver;
    const auto result = newton::minimize(problem, start, {}, options, RunControl());
    REQUIRE(result.status == newton::Status::converged);
    if (solver != LinearSolver::automatic && solver != LinearSolver::ldl) {
      CHECK(result.linear.solver == name(solver));
      CHECK(result.linear.inner_steps > 0);
    }
    // first-order conditions, computed here
    std::vector<double> c(5);
    problem.constraint(result.x, c);
    CHECK(distance(c, std::vector<double>(5, 0.0)) < 1e-6);
    const std::vector<double> slope = lagrangian_gradient(problem, result.x, 1, result.lambda);
    CHECK(distance(slope, std::vector<double>(30, 0.0)) < 1e-6);
    CHECK(result.objective < problem.objective(start));
    if (objective != 0) CHECK(result.objective == doctest::Approx(objective));
    objective = result.objective;
  }
}

TEST_CASE("Logistic regression: the run's seed is that of the sketches") {
  Random random(11);
  ConstrainedLogisticRegression problem(logistic(4000, 20, 2, true, random));
  const std::vector<double> start = problem.start();
  const auto run = [&](std::uint64_t seed, int threads) {
    RunControl control;
    control.threads = threads;
    return newton::minimize(problem, start, {},
                            {.linear_solver = LinearSolver::sketch_preconditioner, .seed = seed},
                            control);
  };
  const auto one = run(1, 1);
  CHECK(one.status == newton::Status::converged);
  CHECK(one.x == run(1, 3).x);
  CHECK(one.x != run(2, 1).x);
}

TEST_CASE("Logistic regression: many samples are worth a team, few aren't") {
  const auto threaded = [](std::size_t samples) {
    ConstrainedLogisticOptions o;
    o.x.rows = samples;
    o.x.cols = 1;
    o.x.values.assign(samples, 1);
    o.y.assign(samples, 1);
    return ConstrainedLogisticRegression(o).threaded();
  };
  CHECK(threaded(100000));
  CHECK_FALSE(threaded(100));
}
