#include "newton/minimizer.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace secondorder::newton {

namespace {

/// So many steps in a row this short, away from the constraints, are as bad as none.
constexpr double short_step = 0.05;
constexpr int most_short_steps = 3;
/// So many steps in a row that change nothing, each x by no more than `rounding` of its size.
constexpr int most_still_steps = 2;
constexpr double rounding = 10 * std::numeric_limits<double>::epsilon();
/// Below this objective, at a feasible point, the problem is called unbounded.
constexpr double lowest_objective = -1e20;
/// Iterations that may follow the success of the scaled test until the unscaled residual fits too.
constexpr int most_polishing = 3;

}  // namespace

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

}  // namespace secondorder::newton
