// Sketch-and-project: what holds in every step, on average, and in the end.
#include <doctest/doctest.h>

#include <bit>
#include <functional>
#include <memory>
#include <string>

#include "newton/kkt_solvers.hpp"
#include "newton/linear/block_projection.hpp"
#include "newton/linear/hadamard.hpp"
#include "newton/linear/iterative_solvers.hpp"
#include "newton/linear/projection.hpp"
#include "newton_kkt_instances.hpp"

using namespace secondorder;
using namespace secondorder::test;
using newton::LinearSolver;
using newton::Projection;

namespace {

struct Kind {
  std::string name;
  LinearSolver solver;
  std::function<std::unique_ptr<Projection>(std::size_t, ThreadPool&, std::uint64_t)> make;
};

const std::vector<Kind>& plain_kinds() {
  static const std::vector<Kind> kinds = {
      {"kaczmarz", LinearSolver::kaczmarz,
       [](std::size_t, ThreadPool& pool, std::uint64_t seed) {
         return newton::make_row_projection(pool, seed);
       }},
      {"block-kaczmarz", LinearSolver::block_kaczmarz, newton::make_paved_projection},
      {"srht", LinearSolver::srht, newton::make_srht_projection},
      {"gaussian", LinearSolver::gaussian, newton::make_gaussian_projection},
      {"countsketch", LinearSolver::countsketch, newton::make_countsketch_projection}};
  return kinds;
}

double squares(const std::vector<double>& v) {
  double sum = 0;
  for (const double value : v) sum += value * value;
  return sum;
}

}  // namespace

TEST_CASE("The fast Walsh–Hadamard transform is the orthonormal Hadamard matrix") {
  ThreadPool pool(2);
  Random random(1);
  for (const std::size_t order : {1U, 2U, 8U, 64U}) {
    auto a = Matrix<double>::normal(order, 21, random);
    std::vector<Wide> want(order * 21, 0);
    for (std::size_t i = 0; i < order; ++i) {
      for (std::size_t k = 0; k < order; ++k) {
        const Wide sign = std::popcount(i & k) % 2 == 0 ? 1 : -1;
        for (std::size_t j = 0; j < 21; ++j) {
          want[i * 21 + j] += sign * a(k, j) / std::sqrt(static_cast<Wide>(order));
        }
      }
    }
    newton::hadamard_columns(pool, a);
    CHECK(error(a, want) < 1e-14);
  }
}

TEST_CASE("Subsets are uniform and without repetition") {
  newton::Subsets subsets(7, Philox(1, 2));
  std::vector<int> count(7, 0);
  for (int round = 0; round < 7000; ++round) {
    const auto chosen = subsets.draw(3);
    CHECK(chosen[0] != chosen[1]);
    CHECK(chosen[0] != chosen[2]);
    CHECK(chosen[1] != chosen[2]);
    for (const std::uint32_t i : chosen) ++count[i];
  }
  for (const int c : count) CHECK(std::abs(c - 3000) < 200);  // 5 standard deviations
}

TEST_CASE("Every step of a sketch brings x nearer the solution, and solves its sketched system") {
  ThreadPool pool(2);
  Random random(2);
  const auto dense = dense_instance(40, 12, random);
  const auto sparse = sparse_instance(90, 20, random);
  for (const Kind& kind : plain_kinds()) {
    INFO(kind.name);
    for (const KktInstance* instance : {dense.get(), sparse.get()}) {
      const std::vector<double> b = normals(instance->order(), random);
      const std::vector<double> truth = instance->solution(b);
      const auto projection = kind.make(9, pool, 3);
      projection->prepare(instance->system);
      projection->start(b);
      std::vector<double> x = normals(b.size(), random);
      double before = distance(x, truth);
      const double first = before;
      bool nearer = true, orthogonal = true;
      for (int step = 0; step < 200; ++step) {
        const std::vector<double> old = x;
        projection->step(x);
        const double now = distance(x, truth), moved = distance(x, old);
        nearer = nearer && now <= before * (1 + 1e-9);
        // an orthogonal projection: Pythagoras
        orthogonal = orthogonal &&
                     std::abs(now * now + moved * moved - before * before) < 1e-6 * first * first;
        before = now;
      }
      CHECK(nearer);
      CHECK(orthogonal);
      CHECK(before < 0.9 * first);
    }
  }
}

TEST_CASE("A step's estimate of the squared residual is unbiased") {
  ThreadPool pool(1);
  Random random(3);
  const auto instance = dense_instance(30, 8, random);
  const std::vector<double> b = normals(38, random), x = normals(38, random);
  const double truth = std::pow(instance->residual(b, x), 2) * squares(b);
  for (const Kind& kind : plain_kinds()) {
    INFO(kind.name);
    const auto projection = kind.make(7, pool, 5);
    projection->prepare(instance->system);
    projection->start(b);
    double sum = 0;
    const int rounds = 4000;
    for (int round = 0; round < rounds; ++round) {
      std::vector<double> copy = x;
      sum += projection->step(copy);
    }
    CHECK(sum / rounds == doctest::Approx(truth).epsilon(0.08));
  }
}

TEST_CASE("One step of uniform row projections contracts as its expectation says") {
  // E‖x₁ − x*‖² = ‖e‖² − (1/d)·Σ (aᵢᵀe)²/‖aᵢ‖², for RK; for GV at least σ²_min/‖K‖²_F is lost
  ThreadPool pool(1);
  Random random(4);
  const auto instance = dense_instance(24, 6, random);
  const std::size_t d = 30;
  const std::vector<double> b = normals(d, random), truth = instance->solution(b);
  const std::vector<double> k = instance->matrix(), x = normals(d, random);
  std::vector<double> e(d), ke(d);
  for (std::size_t i = 0; i < d; ++i) e[i] = x[i] - truth[i];
  instance->system.multiply(e, ke);
  double lost = 0;
  for (std::size_t i = 0; i < d; ++i) {
    double row = 0;
    for (std::size_t j = 0; j < d; ++j) row += k[i * d + j] * k[i * d + j];
    lost += ke[i] * ke[i] / row / static_cast<double>(d);
  }
  const auto mean_loss = [&](Projection& projection) {
    projection.prepare(instance->system);
    projection.start(b);
    double sum = 0;
    for (int round = 0; round < 20000; ++round) {
      std::vector<double> copy = x;
      projection.step(copy);
      sum += squares(e) - std::pow(distance(copy, truth), 2);
    }
    return sum / 20000;
  };
  CHECK(mean_loss(*newton::make_row_projection(pool, 1)) == doctest::Approx(lost).epsilon(0.05));
  const double gaussian = mean_loss(*newton::make_gaussian_projection(1, pool, 1));
  CHECK(gaussian > 0.5 * squares(ke) / squares(k));
  // nine Gaussian vectors at once lose more than one
  CHECK(mean_loss(*newton::make_gaussian_projection(9, pool, 1)) > 3 * gaussian);
}

TEST_CASE("Sketches solve KKT systems, say so only when it is so, and repeat themselves") {
  ThreadPool one(1), two(2);
  Random random(5);
  const auto dense = dense_instance(48, 12, random, 3);
  const auto sparse = sparse_instance(60, 0, random);
  std::vector<Kind> kinds = plain_kinds();
  kinds.push_back({"kaczmarz++", LinearSolver::kaczmarz_plus_plus, {}});
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    for (const KktInstance* instance : {dense.get(), sparse.get()}) {
      const std::vector<double> b = normals(instance->order(), random);
      const auto run = [&](ThreadPool& pool, std::uint64_t seed) {
        const auto solver = newton::make_iterative_solver(kind.solver, {}, pool, seed);
        CHECK(solver->name() == kind.name);
        CHECK_FALSE(solver->prepare(instance->system).has_value());
        std::vector<double> x(b.size(), 0.0);
        const auto outcome = solver->solve(b, 1e-4, x);
        CHECK(outcome.reached);
        CHECK(outcome.steps > 0);
        CHECK(instance->residual(b, x) == doctest::Approx(outcome.residual));
        return x;
      };
      const std::vector<double> x = run(one, 1);
      CHECK(instance->residual(b, x) <= 1e-4);
      CHECK(identical(x, run(two, 1)));
      CHECK_FALSE(identical(x, run(one, 2)));
      CHECK(distance(x, instance->solution(b)) < 1e-2 * std::sqrt(squares(x)));
    }
  }
}

TEST_CASE(
    "Sketches keep to their limit of steps, and to finite numbers where there is no solution") {
  ThreadPool pool(1);
  Random random(6);
  const auto regular = dense_instance(20, 4, random);
  // H = 0 in one direction, a zero row in J, and a right-hand side that asks something of both
  const KktInstance singular(
      8, 2, [](std::size_t i, std::size_t j) { return i == j && i > 0 ? 1.0 : 0.0; },
      [](std::size_t i, std::size_t j) { return i == 0 && j > 0 ? 1.0 : 0.0; });
  std::vector<Kind> kinds = plain_kinds();
  kinds.push_back({"kaczmarz++", LinearSolver::kaczmarz_plus_plus, {}});
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    newton::KktSolverOptions limited;
    limited.max_steps = 5;
    const auto short_run = newton::make_iterative_solver(kind.solver, limited, pool, 1);
    short_run->prepare(regular->system);
    std::vector<double> x(24, 0.0);
    const auto outcome = short_run->solve(normals(24, random), 1e-12, x);
    CHECK_FALSE(outcome.reached);
    CHECK(outcome.steps == 5);

    limited.max_steps = 2000;
    const auto hopeless = newton::make_iterative_solver(kind.solver, limited, pool, 1);
    hopeless->prepare(singular.system);
    const std::vector<double> b = normals(10, random);
    std::vector<double> y(10, 0.0);
    const auto failed = hopeless->solve(b, 1e-8, y);
    CHECK_FALSE(failed.reached);
    CHECK(std::isfinite(failed.residual));
    for (const double value : y) CHECK(std::isfinite(value));
  }
}

TEST_CASE("Systems of one or two equations are solved by every method") {
  ThreadPool pool(2);
  for (const std::size_t constraints : {0U, 1U}) {
    const KktInstance instance(
        1, constraints, [](std::size_t, std::size_t) { return -2.0; },
        [](std::size_t, std::size_t) { return 3.0; });
    std::vector<double> b{1.0};
    if (constraints > 0) b.push_back(-2.0);
    for (const auto& [solver_name, kind] : EnumNames<LinearSolver>::table) {
      if (kind == LinearSolver::automatic || kind == LinearSolver::ldl ||
          kind == LinearSolver::sketch_preconditioner) {
        continue;
      }
      INFO(solver_name);
      const auto solver = newton::make_kkt_solver({.solver = kind}, instance.system, pool);
      CHECK(solver->name() == solver_name);
      solver->prepare(instance.system);
      std::vector<double> x(b.size(), 0.0);
      CHECK(solver->solve(b, 1e-8, x).reached);
      CHECK(instance.residual(b, x) <= 1e-8);
    }
  }
}
