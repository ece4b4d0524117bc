// What Newton's method does where the line search finds no step.
#include <utility>

#include "newton/minimizer.hpp"

namespace secondorder::newton {

namespace {

constexpr std::size_t most_restorations = 30, most_partial_restorations = 15;

}  // namespace

/// Makes a new start where no step was found.
std::optional<End> Minimizer::recover() {
  if (satisfied_) return End{Status::converged};
  if (++counts().restorations > most_restorations) return stalled();
  filter_search_.filter().add(norm1(state_.at.c), state_.at.f);
  run_.record.step = 0;
  if (feasible()) return recover_feasible();
  const bool try_filter = merit_first() && stuck_steps_ < most_stuck_steps;
  return try_filter && search_otherwise() ? std::nullopt : restore();
}

/// Takes a step by the line search that wasn't asked for.
bool Minimizer::search_otherwise() {
  LineSearch& other = merit_first() ? static_cast<LineSearch&>(filter_search_) : merit_search_;
  if (!other.search(state_, newton_, next_, length_)) return false;
  ++counts().merit_fallbacks;
  advance();
  return true;
}

End Minimizer::stalled() {
  const double tolerance = run_.options.tolerance;
  if (counts().error.infeasibility <= tolerance) return {Status::stalled_feasible};
  const KktError here = run_.problem.error(state_.at, state_.lambda, state_.gradient);
  if (here.infeasibility <= tolerance) {
    return {.status = Status::stalled_feasible, .chosen = &state_};
  }
  return {.status = Status::stalled_infeasible, .chosen = if_less_violated(much_better)};
}

/// This iterate, where it violates the constraints less than `factor` times as much as the best
/// one.
const State* Minimizer::if_less_violated(double factor) const {
  const KktError here = run_.problem.error(state_.at, state_.lambda, state_.gradient);
  const double best = run_.record.result.error.infeasibility;
  return here.infeasibility < factor * best ? &state_ : nullptr;
}

/// By better multipliers, by the other line search, by forgetting what BFGS has learned.
std::optional<End> Minimizer::recover_feasible() {
  filter_search_.filter().clear();
  if (improve_multipliers(1)) return std::nullopt;
  if (search_otherwise()) return std::nullopt;
  if (std::exchange(learned_, false)) {
    hessian_->forget();
    return std::nullopt;
  }
  return stalled();
}

/// Takes the least-squares multipliers if with them ‖∇L‖ falls by the factor.
bool Minimizer::improve_multipliers(double factor) {
  least_squares_.multipliers(state_.at, next_.lambda);
  state_.at.lagrangian_gradient(next_.lambda, next_.gradient);
  if (!(norm2(next_.gradient) < factor * norm2(state_.gradient))) return false;
  std::swap(state_.lambda, next_.lambda);
  state_.update_gradient();
  return true;
}

/// By a point that satisfies the constraints better.
std::optional<End> Minimizer::restore() {
  using Outcome = Restoration::Outcome;
  Outcome outcome = restoration_.run(state_, next_, filter_search_.filter());
  const bool again = (outcome == Outcome::stationary || outcome == Outcome::stalled) &&
                     !std::exchange(started_again_, true);
  if (again) outcome = restore_from_start(outcome);
  if (outcome == Outcome::feasible || outcome == Outcome::reduced) filter_search_.filter().clear();
  least_squares_.multipliers(state_.at, state_.lambda);
  state_.update_gradient();
  if (outcome == Outcome::stationary) {
    return End{.status = Status::locally_infeasible, .chosen = if_less_violated(1)};
  }
  const bool in_vain =
      outcome == Outcome::stalled ||
      (outcome == Outcome::reduced && counts().restorations > most_partial_restorations);
  if (in_vain) return stalled();
  return std::nullopt;
}

/// Feasibility may be reached from x0, by smaller steps, where it isn't from here.
Restoration::Outcome Minimizer::restore_from_start(Restoration::Outcome outcome) {
  ++counts().restorations;
  const State here = state_;
  state_.at.x = x0_;
  run_.problem.evaluate(state_.at);
  run_.problem.differentiate(state_.at);
  const bool finite = state_.at.values_finite() && state_.at.derivatives_finite();
  filter_search_.filter().clear();
  const auto second = finite ? restoration_.run(state_, next_, filter_search_.filter(), true)
                             : Restoration::Outcome::stalled;
  if (second == Restoration::Outcome::stationary || second == Restoration::Outcome::stalled) {
    if (!finite || norm2(here.at.c) <= norm2(state_.at.c)) {
      state_ = here;
      return outcome;
    }
  }
  return second;
}

}  // namespace secondorder::newton
