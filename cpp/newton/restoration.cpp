#include "newton/restoration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/thread_pool.hpp"

namespace secondorder::newton {

namespace {

constexpr int most_steps = 200;
/// After so many steps Newton's are tried first.
constexpr int slow = 15;
constexpr double shortest_newton_step = 1e-4;
/// μ is relative to ‖c‖, so that convergence is fast at solutions.
constexpr double first_mu = 1e-3, careful_mu = 10, smallest_mu = 1e-9, smallest_raised_mu = 1e-6,
                 largest_mu = 1e12;
constexpr double mu_up = 4, mu_down = 5, least_norm = 1e-8;
/// Of the decrease that the model promises.
constexpr double sufficient = 1e-4;
/// What of the violation may be left.
constexpr double enough = 0.1, some = 0.9;
/// ‖Jᵀc‖∞ against ‖c‖∞ below which no more progress is to be expected, or the point is called
/// stationary; violations are taken for at least `least_violation`. Both in units of the largest
/// entry that J has had, if that is below 1: constraints of small size are no less violated.
constexpr double vanishing = 1e-9, stationary_gradient = 1e-6, least_violation = 1e-3;
/// Violations up to so many units of rounding in the terms of c can't be told from 0.
constexpr double rounding = 1e4 * std::numeric_limits<double>::epsilon();
/// Feasibility far within the tolerance ends the search whatever the filter says.
constexpr double well_within = 1e-2;

}  // namespace

double Restoration::relative_gradient(const Iterate& iterate) {
  step_.assign(iterate.x.size(), 0.0);
  iterate.jacobian.add_transposed(1, iterate.c, step_);
  steepest_ = std::max(steepest_, norm_inf(iterate.jacobian.values()));
  const double unit = steepest_ > 0 ? std::min(1.0, steepest_) : 1;
  return norm_inf(step_) / (unit * std::max(least_violation * unit, norm_inf(iterate.c)));
}

bool Restoration::within_rounding(const Iterate& iterate) {
  for (std::size_t i = 0; i < iterate.c.size(); ++i) {
    const auto first = static_cast<std::size_t>(iterate.jacobian.offsets()[i]);
    const auto last = static_cast<std::size_t>(iterate.jacobian.offsets()[i + 1]);
    double terms = 0;
    for (std::size_t k = first; k < last; ++k) {
      const auto column = static_cast<std::size_t>(iterate.jacobian.columns()[k]);
      terms += std::abs(iterate.jacobian.values()[k] * iterate.x[column]);
    }
    if (!(std::abs(iterate.c[i]) <= rounding * terms)) return false;
  }
  return true;
}

bool Restoration::stationary(const Iterate& iterate) {
  return relative_gradient(iterate) <= stationary_gradient;
}

/// Whether ‖c‖² at the end of a step falls by a sufficient part of what was promised.
bool Restoration::try_step(const Iterate& at, double length, double promised, Iterate& trial) {
  pool_.checkpoint();
  trial.x = at.x;
  add(length, step_, trial.x);
  problem_.evaluate(trial);
  if (!trial.values_finite()) return false;
  if (!(dot(trial.c, trial.c) < dot(at.c, at.c) - sufficient * promised)) return false;
  problem_.differentiate(trial);
  return trial.derivatives_finite();
}

bool Restoration::levenberg_marquardt(State& state, State& spare) {
  const Iterate& at = state.at;
  for (; mu_ <= largest_mu; mu_ = std::max(mu_ * mu_up, smallest_raised_mu)) {
    const double mu = mu_ * std::max(norm2(at.c), least_norm);
    if (!least_squares_.levenberg_marquardt(at, mu, step_)) continue;
    model_.resize(at.c.size());
    at.jacobian.multiply(step_, model_);
    add(1, at.c, model_);
    if (!try_step(at, 1, dot(at.c, at.c) - dot(model_, model_), spare.at)) continue;
    std::swap(state.at, spare.at);
    mu_ = std::max(mu_ / mu_down, smallest_mu);
    return true;
  }
  return false;
}

bool Restoration::newton(State& state, State& spare) {
  if (!newton_.compute(state.at, step_)) return false;
  model_.resize(state.at.c.size());
  state.at.jacobian.multiply(step_, model_);
  const double slope = -2 * dot(state.at.c, model_);  // of ‖c‖², downwards
  if (!(slope > 0)) return false;
  double length = 1;
  while (!try_step(state.at, length, length * slope, spare.at)) {
    length *= 0.5;
    if (length < shortest_newton_step) return false;
  }
  std::swap(state.at, spare.at);
  return true;
}

Restoration::Outcome Restoration::run(State& state, State& spare, const Filter& filter,
                                      bool careful) {
  const double start = norm1(state.at.c);
  mu_ = careful ? careful_mu : first_mu;
  for (int i = 0; i < most_steps; ++i) {
    if (relative_gradient(state.at) <= vanishing) break;
    const bool moved = (i >= slow && newton(state, spare)) || levenberg_marquardt(state, spare);
    if (!moved) break;
    const double violation = norm1(state.at.c);
    if (violation <= enough * start && filter.allows(violation, state.at.f)) {
      return Outcome::restored;
    }
    if (violation <= well_within * tolerance_) return Outcome::feasible;
  }
  const KktError error = problem_.error(state.at, state.lambda, state.gradient);
  if (error.infeasibility <= tolerance_) return Outcome::feasible;
  const bool at_rest = stationary(state.at) && !within_rounding(state.at);
  if (!at_rest && norm1(state.at.c) <= some * start) return Outcome::reduced;
  return at_rest ? Outcome::stationary : Outcome::stalled;
}

}  // namespace secondorder::newton
