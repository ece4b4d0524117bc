#include "newton/filter_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.hpp"

namespace secondorder::newton {

namespace {

/// Exponents of the switching condition: a(−∇fᵀΔx)^slope_power > θ^violation_power.
constexpr double slope_power = 2.3, violation_power = 1.1;
constexpr double armijo = 1e-8;
/// An objective that rises by so many times its size is on its way to overflow.
constexpr double largest_rise = 1e5, least_size = 10;
constexpr double shortest_of_all = 1e-14, shortest_factor = 0.05;
/// At KKT residuals this small, rounding decides every comparison.
constexpr double negligible_residual = 1e-9;
/// A refused step that leaves at least this share of the violation may be corrected.
constexpr double correctable = 0.999;
/// A correction must reduce the violation by this factor for another to follow.
constexpr double correction_progress = 0.99;

}  // namespace

bool FilterSearch::search(const State& from, NewtonStep& step, State& to, double& length) {
  violation_ = norm1(from.at.c);
  objective_ = from.at.f;
  slope_ = dot(from.at.gradient, step.dx());
  negligible_ = std::max(norm_inf(from.gradient), norm_inf(from.at.c)) < negligible_residual;

  const double least = shortest();
  length = 1;
  Verdict verdict = try_point(from, step.direction(), length, to);
  if (verdict == Verdict::refused && all_finite(to.at.c) &&
      norm1(to.at.c) >= correctable * violation_) {
    verdict = try_corrections(from, step, to);
  }
  while (verdict == Verdict::refused && length >= 2 * least) {
    length *= 0.5;
    verdict = try_point(from, step.direction(), length, to);
  }
  if (verdict == Verdict::by_filter) filter_.add(violation_, objective_);
  return verdict != Verdict::refused;
}

/// The length below which the filter can no longer accept a step.
double FilterSearch::shortest() const {
  if (violation_ == 0) return shortest_of_all;
  double factor = Filter::violation_margin;
  if (slope_ < 0) {
    factor = std::min(factor, Filter::violation_margin * violation_ / -slope_);
    if (violation_ <= filter_.small_violation()) {
      factor =
          std::min(factor, std::pow(violation_, violation_power) / std::pow(-slope_, slope_power));
    }
  }
  return std::max(shortest_factor * factor, shortest_of_all);
}

FilterSearch::Verdict FilterSearch::judge(const Iterate& trial, double length) const {
  if (!trial.values_finite()) return Verdict::refused;
  if (trial.f - objective_ > largest_rise * std::max(least_size, std::abs(objective_))) {
    return Verdict::refused;
  }
  const double violation = norm1(trial.c);
  if (!filter_.allows(violation, trial.f)) return Verdict::refused;
  if (negligible_) return Verdict::by_objective;
  const bool descends =
      slope_ < 0 && violation_ <= filter_.small_violation() &&
      length * std::pow(-slope_, slope_power) > std::pow(violation_, violation_power);
  if (descends) {
    const double slack =
        10 * std::numeric_limits<double>::epsilon() * std::max(1.0, std::abs(objective_));
    return trial.f <= objective_ + armijo * length * slope_ + slack ? Verdict::by_objective
                                                                    : Verdict::refused;
  }
  const bool improves = violation <= (1 - Filter::violation_margin) * violation_ ||
                        trial.f <= objective_ - Filter::objective_margin * violation_;
  return improves ? Verdict::by_filter : Verdict::refused;
}

FilterSearch::Verdict FilterSearch::try_point(const State& from, std::span<const double> direction,
                                              double length, State& to) {
  pool_.checkpoint();
  const std::size_t n = from.at.x.size();
  for (std::size_t i = 0; i < n; ++i) to.at.x[i] = from.at.x[i] + length * direction[i];
  problem_.evaluate(to.at);
  const Verdict verdict = judge(to.at, length);
  if (verdict == Verdict::refused) return verdict;
  problem_.differentiate(to.at);
  if (!to.at.derivatives_finite()) return Verdict::refused;
  for (std::size_t i = 0; i < from.lambda.size(); ++i) {
    to.lambda[i] = from.lambda[i] + length * direction[n + i];
  }
  return verdict;
}

/// Full steps that also make up for the constraint values at the refused point.
FilterSearch::Verdict FilterSearch::try_corrections(const State& from, NewtonStep& step,
                                                    State& to) {
  corrected_ = from.at.c;
  double before = violation_;
  for (std::size_t i = 0; i < most_corrections_; ++i) {
    add(1, to.at.c, corrected_);
    if (!step.correct(corrected_, direction_)) break;
    ++corrections_;
    const Verdict verdict = try_point(from, direction_, 1, to);
    if (verdict != Verdict::refused) return verdict;
    const double violation = norm1(to.at.c);
    if (!(violation <= correction_progress * before)) break;
    before = violation;
  }
  return Verdict::refused;
}

}  // namespace secondorder::newton
