// Which linear solver runs: by fill, size and tolerance, and after failures.
#include <doctest/doctest.h>

#include <string>

#include "base/error.hpp"
#include "newton/kkt_solvers.hpp"
#include "newton_chain.hpp"
#include "newton_kkt_instances.hpp"

namespace secondorder::test {
namespace {

using namespace newton;

std::string chosen(const KktSystem& system, const KktSolverRequest& request = {}) {
  ThreadPool pool(1);
  return std::string(make_kkt_solver(request, system, pool)->name());
}

/// H with entries up to `width` beside the diagonal, J with two entries a row.
std::unique_ptr<KktInstance> banded(std::size_t n, std::size_t m, std::size_t width) {
  return std::make_unique<KktInstance>(
      n, m, [&](std::size_t i, std::size_t j) { return i == j           ? 3.0
                                                       : i - j <= width ? 0.1
                                                                        : 0.0; },
      [&](std::size_t i, std::size_t j) { return j == 2 * i || j == 2 * i + 1 ? 1.0 : 0.0; });
}

/// H with entries at random places.
std::unique_ptr<KktInstance> scattered(std::size_t n, std::size_t m, double share, Random& random) {
  return std::make_unique<KktInstance>(
      n, m,
      [&](std::size_t i, std::size_t j) {
        return i == j ? 3.0 : random.uniform() < share ? 0.1 : 0.0;
      },
      [&](std::size_t i, std::size_t j) { return j == i ? 1.0 : 0.0; });
}

TEST_CASE("factors are dense or sparse by what fills, not by what is given") {
  Random random(1);
  const auto band = banded(1000, 100, 20), random_places = scattered(1000, 100, 0.03, random);
  CHECK(band->hessian.entries() > random_places->hessian.entries());
  CHECK(chosen(band->system) == "sparse-ldl");
  CHECK(chosen(random_places->system) == "dense-ldl");
  CHECK(chosen(banded(40, 5, 1)->system) == "dense-ldl");
  CHECK(chosen(band->system, {.solver = LinearSolver::dense_ldl}) == "dense-ldl");
  CHECK(chosen(random_places->system, {.solver = LinearSolver::sparse_ldl}) == "sparse-ldl");
  CHECK(chosen(random_places->system, {.solver = LinearSolver::ldl}) == "dense-ldl");
}

TEST_CASE("products alone are left to MINRES, and refused by factors") {
  const auto instance = banded(10, 2, 1);
  instance->system.hessian = nullptr;
  CHECK(chosen(instance->system) == "minres");
  for (const LinearSolver solver :
       {LinearSolver::ldl, LinearSolver::dense_ldl, LinearSolver::sparse_ldl}) {
    ThreadPool pool(1);
    CHECK_THROWS_AS(
        make_kkt_solver({.solver = solver}, instance->system, pool)->prepare(instance->system),
        Error);
  }
}

TEST_CASE("the sketch preconditioner is refused where there are no data, by name") {
  try {
    solve<Hs7>({.linear_solver = LinearSolver::sketch_preconditioner});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code == ErrorCode::invalid_argument);
    CHECK(error.argument == "linearSolver");
    CHECK(std::string(error.what()).find("logistic regression") != std::string::npos);
  }
}

/// A solver of its own that never gets anywhere.
class Hopeless final : public KktSolver {
 public:
  explicit Hopeless(int& prepared) : prepared_(prepared) {}
  std::string_view name() const override { return "hopeless"; }
  std::optional<Inertia> prepare(const KktSystem& /*system*/) override {
    ++prepared_;
    return std::nullopt;
  }
  SolveOutcome solve(std::span<const double> /*b*/, double /*accuracy*/,
                     std::span<double> /*x*/) override {
    return {.residual = 1, .steps = 5};
  }

 private:
  int& prepared_;
};

class HopelesslySolved final : public FormulaProblem<Hs7> {
 public:
  std::unique_ptr<KktSolver> own_kkt_solver() override {
    // The first one is for least-squares multipliers, which nothing else may solve.
    return std::exchange(asked_, true) ? std::make_unique<Hopeless>(prepared) : nullptr;
  }
  int prepared = 0;

 private:
  bool asked_ = false;
};

TEST_CASE("'auto' stays with exact factors after two failures, and says so") {
  HopelesslySolved problem;
  const Result result = solve(problem, Hs7::x0());
  CHECK(result.status == Status::converged);
  CHECK(result.linear.solver == "hopeless");
  CHECK(result.linear.replaced_by == "dense-ldl");
  CHECK(result.linear.fallbacks == 2);
  CHECK(problem.prepared == 2);
  CHECK(result.linear.inner_steps == 10);
  CHECK(result.linear.factorizations >= result.iterations);
  CHECK(solve<Hs7>().linear.replaced_by.empty());
}

TEST_CASE("a solver asked for by name is tried every time") {
  const Result result =
      solve<Hs7>({.linear_solver = LinearSolver::kaczmarz, .linear = {.max_steps = 1}});
  CHECK(result.status == Status::converged);
  CHECK(result.linear.fallbacks > 5);
  CHECK(result.linear.replaced_by.empty());
}

}  // namespace
}  // namespace secondorder::test
