// Minimizing by each linear solver: same solutions, and the report says what ran.
#include <doctest/doctest.h>

#include <string>

#include "newton_chain.hpp"

namespace secondorder::test {
namespace {

using namespace newton;

constexpr LinearSolver inexact[] = {LinearSolver::minres,   LinearSolver::nystrom_minres,
                                    LinearSolver::kaczmarz, LinearSolver::block_kaczmarz,
                                    LinearSolver::gaussian, LinearSolver::countsketch,
                                    LinearSolver::srht,     LinearSolver::kaczmarz_plus_plus};

template <class Formula>
void check_solvers(double objective) {
  for (const LinearSolver solver : inexact) {
    for (const auto globalization :
         {Globalization::filter, Globalization::exact_augmented_lagrangian}) {
      CAPTURE(std::string(name(solver)));
      CAPTURE(std::string(name(globalization)));
      const Result result =
          solve<Formula>({.linear_solver = solver, .globalization = globalization});
      CAPTURE(result.message);
      CHECK(result.status == Status::converged);
      CHECK(kkt_residual<Formula>(result) <= 2e-6);
      CHECK(result.objective == doctest::Approx(objective).epsilon(1e-6));
      CHECK(result.linear.solver == name(solver));
      CHECK(result.linear.inner_steps > 0);
      CHECK((result.linear.factorizations > 0) == (result.linear.fallbacks > 0));
    }
  }
}

TEST_CASE("every solver reaches the minimum") {
  check_solvers<Hs7>(-std::sqrt(3));
  check_solvers<Hs40>(-0.25);
  check_solvers<BoggsTolle6>(0.24150513);
}

TEST_CASE("products of the Hessian alone suffice for iterative solvers") {
  for (const LinearSolver solver : {LinearSolver::minres, LinearSolver::nystrom_minres}) {
    const Result result = solve<BoggsTolle6>({.linear_solver = solver}, HessianForm::product);
    CHECK(result.status == Status::converged);
    CHECK(kkt_residual<BoggsTolle6>(result) <= 2e-6);
    CHECK(result.linear.factorizations == 0);
  }
}

TEST_CASE("the paper's sketches, with its constants") {
  for (const LinearSolver solver : {LinearSolver::kaczmarz, LinearSolver::gaussian}) {
    CAPTURE(std::string(name(solver)));
    const Result result = solve<Hs7>({.preset = Preset::paper,
                                      .tolerance = 1e-4,
                                      .linear_solver = solver,
                                      .max_iterations = 10000});
    CHECK(result.status == Status::converged);
    CHECK(kkt_residual<Hs7>(result) <= 1e-4);
    CHECK(result.linear.solver == name(solver));
    CHECK(result.linear.factorizations == 0);
  }
  // Rows are the paper's choice.
  const Result rows = solve<Hs28>({.preset = Preset::paper, .tolerance = 1e-4});
  CHECK(rows.linear.solver == "kaczmarz");
}

TEST_CASE("a sketch of tall data needs a problem that has some") {
  CHECK_THROWS_AS(solve<Hs7>({.linear_solver = LinearSolver::sketch_preconditioner}), Error);
}

TEST_CASE("same seed, same bits, whatever the number of threads") {
  const auto run = [](LinearSolver solver, int threads, std::uint64_t seed) {
    Chain problem(300);
    const std::vector<double> x0(300, 0.2);
    RunControl control;
    control.threads = threads;
    return minimize(problem, x0, {}, {.linear_solver = solver, .seed = seed}, control);
  };
  for (const LinearSolver solver : {LinearSolver::nystrom_minres, LinearSolver::block_kaczmarz}) {
    CAPTURE(std::string(name(solver)));
    const Result one = run(solver, 1, 7), three = run(solver, 3, 7);
    CHECK(one.status == Status::converged);
    CHECK(one.x == three.x);
    CHECK(one.lambda == three.lambda);
    CHECK(one.linear.inner_steps == three.linear.inner_steps);
  }
}

TEST_CASE("other seeds, other sketches") {
  const auto run = [](std::uint64_t seed) {
    return solve<BoggsTolle6>({.linear_solver = LinearSolver::gaussian, .seed = seed});
  };
  CHECK(run(7).x == run(7).x);
  CHECK(run(7).x != run(8).x);
}

}  // namespace
}  // namespace secondorder::test
