#include "newton/run_record.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/thread_pool.hpp"

namespace secondorder::newton {

namespace {

/// What rounding may change in an error that is evaluated anew, with scales taken out and put back:
/// of a tolerance, and of one near the end of float64.
constexpr double rounding = 1e-6, smallest_change = 1e-12;

const char* describe(Status status) {
  switch (status) {
    case Status::converged:
      return "The KKT residuals are within the tolerance";
    case Status::locally_infeasible:
      return "The violation of the constraints is stationary here: they may be inconsistent";
    case Status::stalled_feasible:
      return "The constraints are satisfied, but no step makes further progress";
    case Status::stalled_infeasible:
      return "No step reduces the violation of the constraints further";
    case Status::inertia_failed:
      return "No regularization of the KKT system gives a usable step";
    case Status::evaluation_error:
      return "An evaluation failed";
    case Status::iteration_limit:
      return "The limit of iterations was reached";
    case Status::time_limit:
      return "The time limit was reached";
    case Status::aborted:
      return "The run was aborted";
    case Status::unbounded:
      return "The objective falls without bound at feasible points";
    case Status::singular:
      return "The Jacobian is nearly rank-deficient";
  }
  return "";
}

}  // namespace

bool RunRecord::Rank::operator<(const Rank& other) const {
  return std::tie(unfinished, error) < std::tie(other.unfinished, other.error);
}

RunRecord::Rank RunRecord::rank(const KktError& error) const {
  if (!(error.scaled <= options_.tolerance)) return {true, error.scaled};
  return {false, std::max(error.stationarity, error.infeasibility)};
}

KktError RunRecord::note(const State& state, std::size_t inner_steps) {
  const KktError error = problem_.error(state.at, state.lambda, state.gradient);
  const Rank now = rank(error);
  if (!best_ || now < *best_) {
    best_ = now;
    remember(state, error);
  }
  const Progress line{.iteration = static_cast<double>(result.iterations),
                      .objective = state.at.f / problem_.objective_scale(),
                      .stationarity = error.stationarity,
                      .infeasibility = error.infeasibility,
                      .scaled_kkt = error.scaled,
                      .step = step,
                      .regularization = regularization,
                      .inner_steps = static_cast<double>(inner_steps),
                      .seconds = control_.seconds()};
  result.history.push_back(line);
  control_.report({{"iteration", line.iteration},
                   {"objective", line.objective},
                   {"stationarity", line.stationarity},
                   {"infeasibility", line.infeasibility},
                   {"scaledKkt", line.scaled_kkt},
                   {"step", line.step},
                   {"regularization", line.regularization},
                   {"innerSteps", line.inner_steps},
                   {"seconds", line.seconds}});
  return error;
}

void RunRecord::remember(const State& state, const KktError& error) {
  result.x = state.at.x;
  result.lambda = problem_.given_multipliers(state.lambda);
  result.objective = state.at.f / problem_.objective_scale();
  result.error = error;
}

/// False where the functions aren't finite when they are evaluated anew. Where they can no longer
/// be asked, the figures of the run itself stay, but nothing has converged.
bool RunRecord::verify(Status& status, std::string& message) {
  try {
    double objective = 0;
    result.error = problem_.verify(result.x, result.lambda, objective);
    if (!std::isfinite(result.error.scaled)) return false;
    result.objective = objective;
  } catch (const Error& error) {
    if (error.code != ErrorCode::evaluation) throw;
    if (status != Status::converged) return true;
    status = Status::evaluation_error;
    message = error.what();
    result.failure = std::current_exception();
  } catch (const Cancelled&) {
    if (status != Status::converged) return true;
    status = control_.out_of_time() && !control_.cancelled() ? Status::time_limit : Status::aborted;
  }
  return true;
}

Result RunRecord::finish(Status status, std::string message, const State* chosen) {
  if (chosen != nullptr && chosen->at.values_finite()) {
    remember(*chosen, problem_.error(chosen->at, chosen->lambda, chosen->gradient));
  }
  const bool was_finite = std::isfinite(result.error.scaled);
  const bool finite = (!best_ && chosen == nullptr) || verify(status, message);
  const bool missed =
      status == Status::converged && !(result.error.scaled <= options_.tolerance * (1 + rounding));
  const bool stopped = status == Status::aborted || status == Status::time_limit;
  if (missed && result.error.scaled <= options_.tolerance + smallest_change) {
    const bool feasible = result.error.infeasibility <= options_.tolerance;
    status = feasible ? Status::stalled_feasible : Status::stalled_infeasible;
  } else if (missed || (was_finite && !finite && !stopped)) {
    status = Status::evaluation_error;
    message = "Evaluated anew at the solution, the functions give other values than before";
  }
  result.status = status;
  result.message = message.empty() ? describe(status) : std::move(message);
  result.evaluations = problem_.evaluations();
  result.seconds = control_.seconds();
  return std::move(result);
}

}  // namespace secondorder::newton
