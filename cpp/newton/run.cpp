#include "newton/run.hpp"

#include <cmath>
#include <limits>

#include "newton/problem.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// Up to this order of the KKT system, starting threads costs more than they save.
constexpr std::size_t one_thread_order = 256;

int threads(const Problem& problem, const RunControl& control) {
  const bool small = problem.variables() + problem.constraints() <= one_thread_order;
  return small && !problem.threaded() ? 1 : control.threads;
}

}  // namespace

Run::Run(Problem& given, const Options& run_options, const RunControl& run_control)
    : options(run_options),
      control(run_control),
      pool(threads(given, run_control)),
      begun(given, {.pool = pool,
                    .linear_solver = run_options.linear_solver,
                    .linear = run_options.linear,
                    .seed = run_options.seed,
                    .control = &run_control}),
      problem(given),
      record(problem, options, control) {
  pool.watch(&control, StopOn::time_limit);
}

State Run::first_state(std::span<const double> x0) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  record.result.x.assign(x0.begin(), x0.end());
  record.result.lambda.assign(problem.constraints(), 0.0);
  record.result.objective = infinite;
  record.result.error = {infinite, infinite, infinite};
  pool.checkpoint();
  State state{problem.at(x0), Vector(problem.constraints()), Vector(problem.variables())};
  problem.evaluate_objective(state.at);
  if (std::isfinite(state.at.f)) record.result.objective = state.at.f;
  problem.evaluate_constraint(state.at);
  if (all_finite(state.at.c)) record.result.error.infeasibility = norm_inf(state.at.c);
  problem.differentiate(state.at);
  state.update_gradient();
  return state;
}

Result Run::conclude(const std::function<End()>& algorithm) {
  End end{Status::aborted};
  try {
    end = algorithm();
  } catch (const Cancelled&) {
    end = {control.cancelled() ? Status::aborted : Status::time_limit};
  } catch (const Error& error) {
    if (error.code != ErrorCode::evaluation) throw;
    end = {Status::evaluation_error, error.what()};
    record.result.failure = std::current_exception();
  }
  pool.watch(nullptr);  // what is left to do is short
  return record.finish(end.status, end.message, end.chosen);
}

}  // namespace secondorder::newton
