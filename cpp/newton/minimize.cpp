// The practical method: Newton's method on the KKT conditions with corrected inertia, a filter line
// search, and restoration of feasibility where that fails.
#include "newton/minimize.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "newton/filter_search.hpp"
#include "newton/hessian.hpp"
#include "newton/merit.hpp"
#include "newton/paper.hpp"
#include "newton/restoration.hpp"
#include "newton/run.hpp"

namespace secondorder::newton {

namespace {

/// So many steps in a row this short, away from the constraints, are as bad as none.
constexpr double short_step = 0.05;
constexpr int most_short_steps = 3;
/// So many steps in a row from points where ‖c‖ is stationary, away from the constraints: the
/// objective falls, but nothing leads to them.
constexpr int most_stuck_steps = 5;
/// So many steps in a row that change nothing, each x by no more than `rounding` of its size.
constexpr int most_still_steps = 2;
constexpr double rounding = 10 * std::numeric_limits<double>::epsilon();
constexpr std::size_t most_restorations = 30, most_partial_restorations = 15;
/// Multipliers that have grown so large are compared with the least-squares ones, and replaced
/// where these make ∇L so much smaller.
constexpr double large_multiplier = 1e3, much_better = 0.1;
/// Below this objective, at a feasible point, the problem is called unbounded.
constexpr double lowest_objective = -1e20;
/// Iterations that may follow the success of the scaled test until the unscaled residual fits too.
constexpr int most_polishing = 3;

class Minimizer {
 public:
  Minimizer(Run& run, State start, JacobianLeastSquares& least_squares,
            std::unique_ptr<KktSolver> own_solver);
  End minimize();

 private:
  std::optional<End> check();
  void adapt_scales();
  bool search();
  bool search_otherwise();
  bool merit_first() const {
    return run_.options.globalization == Globalization::exact_augmented_lagrangian;
  }
  bool moves() const;
  bool creeps();
  void advance();
  std::optional<End> recover();
  std::optional<End> recover_feasible();
  bool improve_multipliers(double factor);
  std::optional<End> restore();
  Restoration::Outcome restore_from_start(Restoration::Outcome outcome);

  bool feasible() const { return error_.infeasibility <= run_.options.tolerance; }
  End stalled();
  const State* if_less_violated(double factor) const;
  Result& counts() { return run_.record.result; }

  Run& run_;
  State state_, next_;
  Vector x0_;
  std::unique_ptr<LagrangianHessian> hessian_;
  JacobianLeastSquares& least_squares_;
  NewtonStep newton_;
  FilterSearch filter_search_;
  MeritSearch merit_search_;
  LineSearch& line_search_;
  Restoration restoration_;
  KktError error_;
  double length_ = 0;
  int short_steps_ = 0, stuck_steps_ = 0, still_steps_ = 0, polishing_ = 0;
  bool satisfied_ = false;      // the scaled test has been met
  bool started_again_ = false;  // a restoration has begun at x0
  bool learned_ = false;        // BFGS has learned since it last started anew
  Vector change_, step_;
};

Minimizer::Minimizer(Run& run, State start, JacobianLeastSquares& least_squares,
                     std::unique_ptr<KktSolver> own_solver)
    : run_(run),
      state_(std::move(start)),
      next_(state_),
      x0_(state_.at.x),
      hessian_(make_hessian(run.problem, run.options, run.control, own_solver != nullptr)),
      least_squares_(least_squares),
      newton_(*hessian_, state_, std::move(own_solver), run.options, run.pool),
      filter_search_(run.problem, run.options.second_order_corrections, run.pool),
      merit_search_(run.problem, *hessian_, run.pool),
      line_search_(merit_first() ? static_cast<LineSearch&>(merit_search_) : filter_search_),
      restoration_(run.problem, *hessian_, least_squares, run.options, run.pool) {}

End Minimizer::minimize() {
  filter_search_.filter().start(norm1(state_.at.c));
  for (;; ++counts().iterations) {
    if (auto end = check()) return *end;
    run_.pool.checkpoint();
    if (!hessian_->update(state_.at, state_.lambda)) {
      return {Status::evaluation_error, "The Hessian of the Lagrangian isn't finite"};
    }
    const bool stuck = !feasible() && restoration_.stationary(state_.at);
    stuck_steps_ = stuck ? stuck_steps_ + 1 : 0;
    const bool solved = newton_.compute(state_);
    if (!solved && std::exchange(learned_, false)) {
      hessian_->forget();
      continue;
    }
    if (!solved && !satisfied_ && feasible()) return {Status::inertia_failed};
    if (solved && search() && !creeps()) {
      advance();
    } else if (auto end = recover()) {
      return *end;
    }
  }
}

/// Whether this iterate ends the run.
std::optional<End> Minimizer::check() {
  adapt_scales();
  newton_.count(counts().linear);
  error_ = run_.record.note(state_, counts().linear.inner_steps);
  counts().second_order_corrections = filter_search_.corrections();
  const double tolerance = run_.options.tolerance;
  if (error_.scaled <= tolerance) {
    satisfied_ = true;
    if (error_.stationarity <= tolerance || polishing_++ == most_polishing) {
      return End{Status::converged};
    }
  } else if (satisfied_) {
    return End{Status::converged};  // the best iterate is an earlier one
  }
  const bool out_of_iterations = counts().iterations >= run_.options.max_iterations;
  if (out_of_iterations) return End{satisfied_ ? Status::converged : Status::iteration_limit};
  if (state_.at.f < lowest_objective * run_.problem.objective_scale() && feasible()) {
    return End{.status = Status::unbounded, .chosen = &state_};
  }
  return std::nullopt;
}

/// Far from a solution gradients are larger than they are near it.
void Minimizer::adapt_scales() {
  if (!run_.problem.grow_scales(state_.at, state_.lambda, run_.options.largest_gradient)) return;
  state_.update_gradient();
  filter_search_.filter().start(norm1(state_.at.c));
  run_.record.forget_best();
  satisfied_ = false;
  polishing_ = 0;
  if (std::exchange(learned_, false)) hessian_->forget();
}

/// Looks for the next iterate along the Newton direction.
bool Minimizer::search() {
  while (!line_search_.search(state_, newton_, next_, length_)) {
    if (!newton_.tighten() && !newton_.solve_exactly()) return false;
  }
  return true;
}

/// Whether the step changes x by more than rounding does.
bool Minimizer::moves() const {
  const std::span<const double> dx = newton_.dx();
  for (std::size_t i = 0; i < dx.size(); ++i) {
    if (std::abs(length_ * dx[i]) > rounding * (1 + std::abs(state_.at.x[i]))) return true;
  }
  return false;
}

/// Whether the steps lead nowhere.
bool Minimizer::creeps() {
  still_steps_ = moves() ? 0 : still_steps_ + 1;
  if (still_steps_ == most_still_steps) {
    still_steps_ = 0;
    newton_.forget_length();
    return true;
  }
  short_steps_ = length_ < short_step ? short_steps_ + 1 : 0;
  if (feasible()) return false;
  if (short_steps_ < most_short_steps && stuck_steps_ < most_stuck_steps) return false;
  short_steps_ = 0;
  return true;
}

/// Moves to the iterate that was found.
void Minimizer::advance() {
  run_.record.step = length_;
  run_.record.regularization = newton_.delta_w();
  newton_.learn(length_, norm1(state_.at.c) <= filter_search_.filter().small_violation());
  next_.update_gradient();
  if (hessian_->learns()) {
    step_ = next_.at.x;
    add(-1, state_.at.x, step_);
    change_.resize(step_.size());
    state_.at.lagrangian_gradient(next_.lambda, change_);
    for (std::size_t i = 0; i < change_.size(); ++i) change_[i] = next_.gradient[i] - change_[i];
    hessian_->learn(step_, change_);
    learned_ = true;
  }
  std::swap(state_, next_);
  if (norm_inf(state_.lambda) > large_multiplier) improve_multipliers(much_better);
}

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
