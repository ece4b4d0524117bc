// How runs of minimize end early: limits, aborts, failing evaluations, wrong arguments.
#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "newton_problems.hpp"

namespace secondorder::test {
namespace {

using newton::Options;
using newton::Result;
using newton::Status;

/// Calls `hook(number of the call)` at each evaluation of the objective.
template <class Formula, class Hook>
class Hooked final : public FormulaProblem<Formula> {
 public:
  explicit Hooked(Hook hook) : hook_(std::move(hook)) {}
  double objective(std::span<const double> x) override {
    hook_(++calls_);
    return FormulaProblem<Formula>::objective(x);
  }

 private:
  Hook hook_;
  int calls_ = 0;
};

TEST_CASE("the iteration limit gives the best iterate") {
  const Result result = solve<Hs7>({.max_iterations = 15});
  CHECK(result.status == Status::iteration_limit);
  CHECK(result.iterations == 15);
  double least = std::numeric_limits<double>::infinity();
  for (const auto& line : result.history) least = std::min(least, line.scaled_kkt);
  CHECK(result.error.scaled == doctest::Approx(least));
  CHECK(kkt_residual<Hs7>(result) ==
        doctest::Approx(std::max(result.error.stationarity, result.error.infeasibility)));
}

TEST_CASE("an abort ends the run at once, with what there is") {
  RunControl control;
  int last = 0;
  Hooked<Hs7, std::function<void(int)>> problem([&](int call) {
    last = call;
    if (call == 9) control.cancel();
  });
  const Result result = newton::minimize(problem, Hs7::x0(), {}, {}, control);
  CHECK(result.status == Status::aborted);
  CHECK(last <= 10);  // the last one verifies
  CHECK(result.x.size() == 2);
  CHECK(std::isfinite(result.error.scaled));
}

TEST_CASE("the time limit is kept, before the first iteration too") {
  RunControl control;
  control.time_limit = 0;
  FormulaProblem<Hs7> problem;
  const Result result = newton::minimize(problem, Hs7::x0(), {}, {}, control);
  CHECK(result.status == Status::time_limit);
  CHECK(result.iterations == 0);
  CHECK(result.x == Hs7::x0());
}

TEST_CASE("a throwing evaluation ends the run with the best iterate and the exception") {
  Hooked<Hs7, std::function<void(int)>> problem([](int call) {
    if (call == 6) throw Error(ErrorCode::evaluation, "broken");
  });
  const RunControl control;
  const Result result = newton::minimize(problem, Hs7::x0(), {}, {}, control);
  CHECK(result.status == Status::evaluation_error);
  CHECK(result.message == "broken");
  CHECK(result.failure);
  CHECK(result.history.size() >= 2);
  CHECK(std::isfinite(result.error.scaled));
}

TEST_CASE("what throws at x0 leaves x0") {
  Hooked<Hs7, std::function<void(int)>> problem(
      [](int) { throw Error(ErrorCode::evaluation, "broken"); });
  const RunControl control;
  const Result result = newton::minimize(problem, Hs7::x0(), {}, {}, control);
  CHECK(result.status == Status::evaluation_error);
  CHECK(result.x == Hs7::x0());
  CHECK(result.lambda == std::vector<double>{0});
}

TEST_CASE("values that change between calls are not called converged") {
  class Shifting final : public FormulaProblem<Hs28> {
   public:
    void constraint(std::span<const double> x, std::span<double> out) override {
      FormulaProblem<Hs28>::constraint(x, out);
      out[0] += 0.01 * ++calls_;
    }

   private:
    int calls_ = 0;
  };
  Shifting problem;
  const RunControl control;
  const Result result = newton::minimize(problem, Hs28::x0(), {}, {}, control);
  CHECK(result.status != Status::converged);
}

TEST_CASE("functions that aren't finite when they are asked again end in an error") {
  class Fading final : public FormulaProblem<Hs7> {
   public:
    double objective(std::span<const double> x) override {
      return ++calls_ < 5 ? FormulaProblem<Hs7>::objective(x)
                          : std::numeric_limits<double>::quiet_NaN();
    }

   private:
    int calls_ = 0;
  };
  Fading problem;
  const RunControl control;
  const Result result = newton::minimize(problem, Hs7::x0(), {}, {}, control);
  CHECK(result.status == Status::evaluation_error);
  CHECK(std::isfinite(result.objective));
  for (const double value : result.x) CHECK(std::isfinite(value));
  CHECK_FALSE(std::isnan(result.error.scaled));
}

TEST_CASE("wrong arguments are refused by name") {
  FormulaProblem<Hs7> problem;
  const RunControl control;
  const auto argument = [&](std::vector<double> x0, std::vector<double> lambda0) {
    try {
      newton::minimize(problem, x0, lambda0, {}, control);
    } catch (const Error& error) {
      return error.argument;
    }
    return std::string();
  };
  CHECK(argument({1, 2, 3}, {}) == "x0");
  CHECK(argument({1, std::numeric_limits<double>::infinity()}, {}) == "x0");
  CHECK(argument({1, 2}, {1, 2}) == "lambda0");
  CHECK(argument({1, 2}, {std::numeric_limits<double>::quiet_NaN()}) == "lambda0");
}

TEST_CASE("structures out of range are refused with the entry's place") {
  class Wrong final : public FormulaProblem<Hs7> {
   public:
    newton::Coordinates jacobian, hessian{{0, 1}, {0, 1}};
    newton::Coordinates jacobian_structure() const override { return jacobian; }
    newton::Coordinates hessian_structure() const override { return hessian; }
  };
  const auto message = [](newton::Coordinates jacobian, newton::Coordinates hessian) {
    Wrong problem;
    problem.jacobian = std::move(jacobian);
    problem.hessian = std::move(hessian);
    const RunControl control;
    try {
      newton::minimize(problem, Hs7::x0(), {}, {}, control);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message({{0, 1}, {0, 1}}, {{0, 1}, {0, 1}}).starts_with("jacobian.rows[1] is 1"));
  CHECK(message({{0, 0}, {0, -1}}, {{0, 1}, {0, 1}}).starts_with("jacobian.cols[1] is -1"));
  CHECK(message({{0, 0}, {0, 1}}, {{0, 0}, {0, 1}}).find("above the diagonal") !=
        std::string::npos);
  CHECK(message({{0, 0}, {0}}, {{0, 1}, {0, 1}}).find("differ in length") != std::string::npos);
}

}  // namespace
}  // namespace secondorder::test
