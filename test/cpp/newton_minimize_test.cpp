// The practical method on problems whose solutions are known.
#include <doctest/doctest.h>

#include <string>

#include "newton_problems.hpp"

namespace secondorder::test {
namespace {

using newton::Globalization;
using newton::HessianForm;
using newton::Options;
using newton::Result;
using newton::Status;

template <class Formula>
void check_solution(double objective, std::size_t most_iterations, double tolerance = 1e-6) {
  const Result result = solve<Formula>({.tolerance = tolerance});
  CAPTURE(result.message);
  CHECK(result.status == Status::converged);
  CHECK(result.objective == doctest::Approx(objective).epsilon(1e-6));
  CHECK(kkt_residual<Formula>(result) <= 2e-6);
  CHECK(result.iterations <= most_iterations);
  CHECK(result.history.size() == result.iterations + 1);
}

TEST_CASE("classic problems reach their known minima") {
  check_solution<Hs6>(0, 12);
  check_solution<Hs7>(-std::sqrt(3), 40);
  check_solution<Hs28>(0, 2);
  check_solution<Hs40>(-0.25, 6);
  check_solution<BoggsTolle6>(0.24150513, 20);
  check_solution<Maratos>(-1, 8);
  check_solution<Rosenbrock>(0, 40);
  check_solution<Logarithm>(1, 20);
}

TEST_CASE("every globalization and every form of the Hessian gets there") {
  const double minimum = 0.24150513;
  for (const auto globalization :
       {Globalization::filter, Globalization::exact_augmented_lagrangian}) {
    for (const auto form : {HessianForm::values, HessianForm::product, HessianForm::none}) {
      CAPTURE(static_cast<int>(globalization));
      CAPTURE(static_cast<int>(form));
      const Result result = solve<BoggsTolle6>({.globalization = globalization}, form);
      CHECK(result.status == Status::converged);
      CHECK(result.objective == doctest::Approx(minimum).epsilon(1e-6));
      CHECK(kkt_residual<BoggsTolle6>(result) <= 2e-6);
      CHECK((result.evaluations.hessian > 0) == (form == HessianForm::values));
      CHECK((result.evaluations.hessian_product > 0) == (form == HessianForm::product));
    }
  }
}

TEST_CASE("limited-memory BFGS, by factors of a low-rank change") {
  const Result result = solve<BoggsTolle6>({.bfgs_memory = 6}, HessianForm::none);
  CHECK(result.status == Status::converged);
  CHECK(kkt_residual<BoggsTolle6>(result) <= 2e-6);
  const Result free = solve<Rosenbrock>({.bfgs_memory = 6}, HessianForm::none);
  CHECK(free.status == Status::converged);
  CHECK(free.objective <= 1e-10);
}

TEST_CASE("the Maratos effect costs no small steps") {
  const Result result = solve<Maratos>({.tolerance = 1e-8});
  for (std::size_t i = 1; i < result.history.size(); ++i) CHECK(result.history[i].step == 1);
}

TEST_CASE("a rank-deficient Jacobian is no obstacle") {
  const Result result = solve<RankDeficient>();
  CHECK(result.status == Status::converged);
  CHECK(result.x[0] == doctest::Approx(-1).epsilon(1e-6));
  CHECK(result.x[1] == doctest::Approx(-1).epsilon(1e-6));
  CHECK(kkt_residual<RankDeficient>(result) <= 2e-6);
}

TEST_CASE("copies that rounding tells apart don't hide the curvature along them") {
  const Result result = solve<RoundedCopies>();
  CHECK(result.status == Status::converged);
  CHECK(std::abs(result.x[0]) == doctest::Approx(std::sqrt(0.5)).epsilon(1e-5));
  CHECK(kkt_residual<RoundedCopies>(result) <= 2e-6);
}

TEST_CASE("scales grow on the way from a start far away") {
  const Result result = solve<FarStart>();
  CAPTURE(result.message);
  CHECK(result.status == Status::converged);
  CHECK(kkt_residual<FarStart>(result) <= 1e-5);
  CHECK(result.error.stationarity <= 1e-5);
}

TEST_CASE("a constraint that can't be satisfied and doesn't depend on x ends the run soon") {
  for (const auto form : {HessianForm::values, HessianForm::none}) {
    for (const auto globalization :
         {Globalization::filter, Globalization::exact_augmented_lagrangian}) {
      const Result result = solve<Impossible>({.globalization = globalization}, form);
      CHECK(result.status == Status::locally_infeasible);
      CHECK(result.error.infeasibility == 1);
      CHECK(result.iterations <= 10);
    }
  }
}

TEST_CASE("inconsistent constraints end at a stationary point of the violation") {
  const Result result = solve<Infeasible>();
  CHECK(result.status == Status::locally_infeasible);
  CHECK(result.error.infeasibility == doctest::Approx(1));
  CHECK(std::abs(result.x[0]) < 1e-3);
  const Result lines = solve<Overdetermined>();
  CHECK(lines.status == Status::locally_infeasible);
  CHECK(lines.x[0] == doctest::Approx(2).epsilon(1e-5));
  CHECK(lines.x[1] == doctest::Approx(2).epsilon(1e-5));
}

TEST_CASE("more constraints than variables, if consistent, are solved") {
  const Result result = solve<ConsistentOverdetermined>();
  CHECK(result.status == Status::converged);
  CHECK(result.x[0] == doctest::Approx(1));
  CHECK(result.x[1] == doctest::Approx(2));
}

TEST_CASE("an objective without bound is called so") {
  const Result result = solve<Unbounded>();
  CHECK(result.status == Status::unbounded);
  CHECK(result.objective < -1e20);
  CHECK(result.error.infeasibility <= 1e-6);
}

TEST_CASE("a start where nothing is finite is refused with a status") {
  const Result result = solve<NotFinite>();
  CHECK(result.status == Status::evaluation_error);
  CHECK(result.message.find("objective is NaN") != std::string::npos);
  CHECK(result.x == NotFinite::x0());
}

TEST_CASE("the given multipliers are where a run starts") {
  FormulaProblem<Hs28> problem;
  const RunControl control;
  const Result found = newton::minimize(problem, Hs28::x0(), {}, {}, control);
  const Result again = newton::minimize(problem, found.x, found.lambda, {}, control);
  CHECK(again.iterations == 0);
  CHECK(again.lambda == found.lambda);
}

/// In units that call for scaling.
struct Scaled : Hs7 {
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    const Real f = Hs7::evaluate(x, c);
    c[0] = 1e4 * c[0];
    return 1e5 * f;
  }
};

TEST_CASE("scaling leaves multipliers and residuals in the units given") {
  const Result result = solve<Scaled>();
  CHECK(result.status == Status::converged);
  CHECK(result.lambda[0] == doctest::Approx(0.28867513 * 10).epsilon(1e-6));
  CHECK(result.objective == doctest::Approx(-1e5 * std::sqrt(3)));
  CHECK(result.error.stationarity == doctest::Approx(kkt_residual<Scaled>(result)).epsilon(0.01));
}

TEST_CASE("runs repeat bit by bit") {
  const Result a = solve<BoggsTolle6>(), b = solve<BoggsTolle6>();
  CHECK(a.x == b.x);
  CHECK(a.lambda == b.lambda);
  CHECK(a.iterations == b.iterations);
}

}  // namespace
}  // namespace secondorder::test
