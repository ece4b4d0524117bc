// The practical method, or that of the paper.
#include "newton/minimize.hpp"

#include <optional>
#include <string>
#include <utility>

#include "newton/minimizer.hpp"
#include "newton/paper.hpp"
#include "newton/run.hpp"

namespace secondorder::newton {

namespace {

void check_sizes(const Problem& problem, std::span<const double> x0,
                 std::span<const double> lambda0) {
  const auto refuse = [](const char* argument, std::size_t got, std::size_t expected) {
    throw Error(ErrorCode::dimension_mismatch,
                std::string(argument) + " has " + std::to_string(got) + " elements, expected " +
                    std::to_string(expected),
                argument);
  };
  if (x0.size() != problem.variables()) refuse("x0", x0.size(), problem.variables());
  if (!lambda0.empty() && lambda0.size() != problem.constraints()) {
    refuse("lambda0", lambda0.size(), problem.constraints());
  }
  if (!all_finite(x0)) {
    throw Error(ErrorCode::invalid_argument, "x0 holds values that aren't finite", "x0");
  }
  if (!all_finite(lambda0)) {
    throw Error(ErrorCode::invalid_argument, "lambda0 holds values that aren't finite", "lambda0");
  }
}

}  // namespace

Result minimize(Problem& problem, std::span<const double> x0, std::span<const double> lambda0,
                const Options& options, const RunControl& control) {
  check_sizes(problem, x0, lambda0);
  Run run(problem, options, control);
  std::optional<JacobianLeastSquares> least_squares;
  std::optional<Minimizer> minimizer;  // outlives the algorithm: the end may point into it
  std::optional<State> start;
  return run.conclude([&]() -> End {
    start = run.first_state(x0);
    run.pool.checkpoint();
    const std::string trouble = run.problem.describe_non_finite(start->at);
    if (!trouble.empty()) return {Status::evaluation_error, "At x0 " + trouble};
    if (options.preset == Preset::paper) return minimize_by_paper(run, *start, lambda0);
    if (options.largest_gradient > 0) {
      run.problem.choose_scales(start->at, options.largest_gradient);
    }
    least_squares.emplace(start->at, problem.own_kkt_solver(), options.device, run.pool);
    run.pool.checkpoint();
    if (lambda0.empty()) {
      least_squares->multipliers(start->at, start->lambda);
    } else {
      start->lambda = run.problem.scaled_multipliers(lambda0);
    }
    run.pool.checkpoint();
    start->update_gradient();
    auto own_solver = problem.own_kkt_solver();
    return minimizer.emplace(run, std::move(*start), *least_squares, std::move(own_solver))
        .minimize();
  });
}

}  // namespace secondorder::newton
