// PDE-constrained control: derivatives by differences, solutions by dense LU and in closed form.
#include <doctest/doctest.h>

#include <memory>
#include <numbers>

#include "base/error.hpp"
#include "newton/minimize.hpp"
#include "newton/problems/pde_control.hpp"
#include "newton_problem_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;
using newton::PdeControl;

TEST_CASE("PDE control: derivatives and refusals") {
  Random random(7);
  for (const std::size_t grid : {1U, 2U, 5U}) {
    PdeControl problem({.grid = grid, .alpha = 0.3});
    CHECK(problem.variables() == 2 * grid * grid);
    check_derivatives(problem, random);
  }
  CHECK_THROWS_AS(PdeControl({.grid = 0}), Error);
  CHECK_THROWS_AS(PdeControl({.grid = 3, .alpha = 0}), Error);
  CHECK_THROWS_AS(PdeControl({.grid = 3, .alpha = 1, .target = {1, 2}}), Error);
}

TEST_CASE("PDE control: a few steps at every N, with scaled constraints and regularization too") {
  ThreadPool pool(2);
  Random random(8);
  for (const std::size_t grid : {1U, 2U, 7U, 16U, 48U}) {
    PdeControl problem({.grid = grid, .alpha = 0.1});
    problem.begin({.pool = pool});
    const std::size_t order = 3 * grid * grid;
    for (const double scale : {1.0, 1e-2}) {
      ProblemSystem k(problem, std::vector<double>(2 * grid * grid, 0.0),
                      std::vector<double>(grid * grid, 0.0), scale);
      k.system.delta_w = scale == 1 ? 0 : 0.5;
      k.system.delta_c = scale == 1 ? 0 : 1e-3;
      const auto solver = problem.own_kkt_solver();
      REQUIRE(solver);
      const auto inertia = solver->prepare(k.system);
      REQUIRE(inertia.has_value());
      CHECK(*inertia == newton::Inertia{2 * grid * grid, grid * grid, 0});
      const std::vector<double> b = normals(order, random);
      std::vector<double> x(order, 0.0);
      const auto outcome = solver->solve(b, 1e-8, x);
      CHECK(outcome.reached);
      CHECK(outcome.steps <= (scale == 1 ? 5U : 15U));
      CHECK(residual(k.system, b, x) <= 1e-8);
    }
  }
}

TEST_CASE("PDE control: the solution for a sine mode is known, and tends to the continuous one") {
  ThreadPool pool(1);
  const double alpha = 0.1, pi = std::numbers::pi;
  double before = 0;
  for (const std::size_t grid : {7U, 15U, 31U}) {
    // target = sin(aπ(x+1)/2)·sin(bπ(y+1)/2): an eigenvector of −Δ_h, of eigenvalue μ
    const std::size_t points = grid * grid, a = 1, b = 2;
    const double step = 1 / (static_cast<double>(grid) + 1);
    std::vector<double> target(points);
    for (std::size_t i = 0; i < grid; ++i) {
      for (std::size_t j = 0; j < grid; ++j) {
        target[i * grid + j] = std::sin(pi * step * static_cast<double>(a * (i + 1))) *
                               std::sin(pi * step * static_cast<double>(b * (j + 1)));
      }
    }
    const auto squared_sine = [&](std::size_t k) {
      return std::pow(std::sin(0.5 * pi * step * static_cast<double>(k)), 2);
    };
    const double mu = (squared_sine(a) + squared_sine(b)) / (step * step);
    PdeControl problem({.grid = grid, .alpha = alpha, .target = target});
    ProblemSystem k(problem, std::vector<double>(2 * points, 0.0),
                    std::vector<double>(points, 0.0));
    std::vector<double> right(3 * points), solution(3 * points, 0.0), gradient(2 * points);
    problem.gradient(std::vector<double>(2 * points, 0.0), gradient);
    for (std::size_t p = 0; p < 2 * points; ++p) right[p] = -gradient[p];
    const auto solver = problem.own_kkt_solver();
    solver->prepare(k.system);
    CHECK(solver->solve(right, 1e-11, solution).reached);
    const double factor = 1 / (1 + alpha * mu * mu);
    std::vector<double> want(3 * points);
    for (std::size_t p = 0; p < points; ++p) {
      want[p] = factor * target[p];
      want[points + p] = factor * mu * target[p];
      want[2 * points + p] = alpha * want[points + p];  // αf = λ
    }
    CHECK(error(solution, want) < 1e-9);
    const double continuous = (pi * pi / 4) * static_cast<double>(a * a + b * b);
    const double off = std::abs(factor - 1 / (1 + alpha * continuous * continuous));
    if (before > 0) CHECK(off < 0.27 * before);  // of second order in h
    before = off;
  }
}

TEST_CASE("PDE control: the same solution as dense LU") {
  ThreadPool pool(1);
  Random random(9);
  PdeControl problem({.grid = 6, .alpha = 0.05});
  const std::vector<double> zero(72, 0.0), none(36, 0.0);
  ProblemSystem k(problem, zero, none);
  std::vector<double> b = normals(108, random), matrix(108 * 108), unit(108, 0.0), x(108, 0.0);
  for (std::size_t j = 0; j < 108; ++j) {
    unit[j] = 1;
    k.system.multiply(unit, std::span(matrix).subspan(j * 108, 108));
    unit[j] = 0;
  }
  const auto solver = problem.own_kkt_solver();
  solver->prepare(k.system);
  CHECK(solver->solve(b, 1e-11, x).reached);
  const int n = 108, one = 1;
  std::vector<int> pivots(108);
  int info = 0;
  dgesv_(&n, &one, matrix.data(), &n, pivots.data(), b.data(), &n, &info);
  CHECK(info == 0);
  CHECK(error(x, b) < 1e-9);
}

TEST_CASE("PDE control: minimize needs one step, by its own solver and by sparse factors") {
  double objective = 0;
  for (const newton::LinearSolver kind :
       {newton::LinearSolver::automatic, newton::LinearSolver::sparse_ldl}) {
    PdeControl problem({.grid = 24, .alpha = 0.1});
    newton::Options options;
    options.tolerance = 1e-8;
    options.linear_solver = kind;
    const std::vector<double> start(problem.variables(), 0.0);
    const auto result = newton::minimize(problem, start, {}, options, RunControl());
    REQUIRE(result.status == newton::Status::converged);
    CHECK(result.iterations <= 2);
    const bool own = kind == newton::LinearSolver::automatic;
    CHECK(result.linear.solver == (own ? "minres" : "sparse-ldl"));
    const std::vector<double> slope = lagrangian_gradient(problem, result.x, 1, result.lambda);
    CHECK(distance(slope, std::vector<double>(slope.size(), 0.0)) < 1e-6);
    if (!own) CHECK(result.objective == doctest::Approx(objective));
    objective = result.objective;
  }
}
