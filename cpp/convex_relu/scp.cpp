#include "convex_relu/scp.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "convex_relu/dual_bound.hpp"

namespace secondorder::convex_relu {

namespace {

/// Columns that a working set gains in a step: as many as are in use, and no fewer than these.
constexpr std::size_t least_gain = 64;

/// The accuracy of linear programs, as a share of the gap: the first is model_accuracy, and it
/// grows where no column is missing.
constexpr double least_accuracy = 1e-3;

/// Columns stay in the working set of a linear program while their constraint is within this share
/// of being met: without them its dual would go back and forth.
constexpr double kept_share = 0.9;

/// A model is minimized until its violation is this share of the program's; for linear programs it
/// is the first share of its gap.
constexpr double model_accuracy = 0.1;

/// Share of the wanted gap below which a violation, over β, is of no concern.
constexpr double unconcerning = 0.05;

/// Shares of a step that a line search tries: down to 2⁻³⁰.
constexpr int most_halvings = 30;
constexpr double sufficient_decrease = 0.01;

}  // namespace

template <class Real>
ScpSolver<Real>::ScpSolver(const ScpColumns<Real>& columns, Loss loss, const Targets& targets,
                           double beta, HostAlgebra& host, bool screening)
    : columns_(columns),
      kind_(loss),
      targets_(targets),
      beta_(beta),
      host_(host),
      outputs_(targets.outputs),
      screening_(screening),
      loss_(loss, targets, host),
      model_(columns, targets.outputs, beta, host),
      lengths_(columns.squares(targets.weights, host)),
      candidates_(columns.count()),
      alpha_(columns.count() * outputs_),
      q_(alpha_.size()),
      z_(columns.rows() * outputs_),
      gradient_(z_.size()),
      curvature_(columns.rows()),
      nu_(z_.size()),
      z_to_(z_.size()),
      trial_(z_.size()),
      best_alpha_(alpha_),
      best_nu_(z_.size()) {
  for (double& length : lengths_) length = std::sqrt(length);
  if (loss == Loss::hinge) {
    hinge_.emplace(columns, targets.y, targets.weights, beta, host);
    for (std::size_t k = 0; k < gradient_.size(); ++k) {  // the slope where all outputs are 0
      gradient_[k] = -targets.y[k] * (targets.weights.empty() ? 1 : targets.weights[k]);
    }
  }
  std::iota(candidates_.begin(), candidates_.end(), std::size_t{0});
}

template <class Real>
void ScpSolver<Real>::start(std::span<const double> alpha) {
  std::copy(alpha.begin(), alpha.end(), alpha_.begin());
}

template <class Real>
double ScpSolver<Real>::norm(const std::vector<double>& rows, std::size_t j) const {
  double squares = 0;
  for (std::size_t o = 0; o < outputs_; ++o) {
    squares += rows[j * outputs_ + o] * rows[j * outputs_ + o];
  }
  return std::sqrt(squares);
}

template <class Real>
double ScpSolver<Real>::penalty(const std::vector<double>& alpha) const {
  double sum = 0;
  for (std::size_t j = 0; j < columns_.count(); ++j) sum += norm(alpha, j);
  return sum;
}

/// How far qⱼ is from −β ∂‖αⱼ‖.
template <class Real>
double ScpSolver<Real>::violation(std::size_t j) const {
  const double size = norm(alpha_, j);
  if (size == 0) return std::max(0.0, norm(q_, j) - beta_);
  double squares = 0;
  for (std::size_t o = 0; o < outputs_; ++o) {
    const std::size_t i = j * outputs_ + o;
    const double rest = q_[i] + beta_ * alpha_[i] / size;
    squares += rest * rest;
  }
  return std::sqrt(squares);
}

/// z = Aα.
template <class Real>
void ScpSolver<Real>::place(View<double> z) {
  std::vector<std::size_t> used;
  std::vector<double> weights;
  for (std::size_t j = 0; j < columns_.count(); ++j) {
    if (norm(alpha_, j) == 0) continue;
    used.push_back(j);
    const double* row = alpha_.data() + j * outputs_;
    weights.insert(weights.end(), row, row + outputs_);
  }
  columns_.combine(used, {weights.data(), used.size(), outputs_}, host_, z);
}

template <class Real>
Bounds ScpSolver<Real>::price() {
  const std::size_t n = columns_.rows();
  place(view(z_));
  if (!hinge_) loss_.expand(view(z_), view(gradient_), curvature_);
  columns_.correlate(candidates_, view(gradient_), host_, {q_.data(), columns_.count(), outputs_});
  double largest = 0;
  for (const std::size_t j : candidates_) largest = std::max(largest, norm(q_, j));
  const double objective = loss_.value(view(z_)) + beta_ * penalty(alpha_);
  if (!bounded_ || objective < bounds_.objective) {
    bounds_.objective = objective;
    best_alpha_ = alpha_;
  }
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t o = 0; o < outputs_; ++o) nu_[k * outputs_ + o] = gradient_[o * n + k];
  }
  double tau = 0;
  const double dual =
      scaled_dual(kind_, nu_, targets_.y, targets_.weights, outputs_, beta_, largest, &tau);
  if (!bounded_ || dual > bounds_.dual) {
    bounds_.dual = dual;
    best_nu_ = nu_;
  }
  bounded_ = true;
  if (screening_ && !hinge_) screen(tau, dual);
  return bounds_;
}

/// The dual is concave of modulus 1/L where Φ is smooth of modulus L: its solution is within
/// R = √(2L·gap) of any feasible τν, and αⱼ = 0 wherever ‖aⱼᵀτν‖ + R‖aⱼ‖ < β. What rounding may
/// have changed is added to both.
template <class Real>
void ScpSolver<Real>::screen(double tau, double dual) {
  const std::size_t n = columns_.rows();
  double squares = 0;
  for (std::size_t i = 0; i < gradient_.size(); ++i) {
    const double weight = targets_.weights.empty() ? 1 : targets_.weights[i % n];
    squares += gradient_[i] * gradient_[i] / weight;
  }
  const double gap = bounds_.objective - dual + 1e-12 * std::abs(bounds_.objective);
  const double rounding = 1e-12 * tau * std::sqrt(squares);
  const double radius = std::sqrt(2 * loss_.smoothness() * std::max(gap, 0.0)) + rounding;
  std::erase_if(candidates_, [&](std::size_t j) {
    return norm(alpha_, j) == 0 && tau * norm(q_, j) + radius * lengths_[j] < beta_;
  });
}

/// The columns in use, and of the others those that violate their constraint most for their length;
/// whether these are all that do.
template <class Real>
bool ScpSolver<Real>::choose_working_set() {
  struct Scored {
    std::size_t column;
    double score;
  };
  std::vector<Scored> used, fresh;
  worst_ = 0;
  for (const std::size_t j : candidates_) {
    if (lengths_[j] == 0) {
      std::fill_n(alpha_.data() + j * outputs_, outputs_, 0.0);
      continue;
    }
    const double violated = violation(j);
    worst_ = std::max(worst_, violated);
    const bool bound = hinge_ && norm(q_, j) > kept_share * beta_ &&
                       std::binary_search(working_.begin(), working_.end(), j);
    if (norm(alpha_, j) > 0 || bound) {
      used.push_back({j, violated / lengths_[j]});
    } else if (violated > 0) {
      fresh.push_back({j, violated / lengths_[j]});
    }
  }
  const auto keep_worst = [](std::vector<Scored>& of, std::size_t count) {
    if (of.size() <= count) return;
    std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(count), of.end(),
                     [](const Scored& a, const Scored& b) {
                       return a.score > b.score || (a.score == b.score && a.column < b.column);
                     });
    of.resize(count);
  };
  const std::size_t gain = std::max(used.size(), least_gain);
  const bool complete = fresh.size() <= gain;
  keep_worst(fresh, gain);
  used.insert(used.end(), fresh.begin(), fresh.end());
  keep_worst(used, most_working_columns);
  working_.clear();
  for (const Scored& scored : used) working_.push_back(scored.column);
  std::sort(working_.begin(), working_.end());
  return complete;
}

template <class Real>
void ScpSolver<Real>::step(double wanted, const RunControl& control) {
  const bool complete = choose_working_set();
  std::vector<double> x;
  if (hinge_) {
    const double gap = (bounds_.objective - bounds_.dual) / bounds_.objective;
    if (complete && gap > 0.5 * last_gap_) accuracy_ = std::max(0.3 * accuracy_, least_accuracy);
    last_gap_ = gap;
    passes_ += hinge_->solve(working_, accuracy_ * std::max(wanted, gap), control, x, gradient_);
    take(x);
    return;
  }
  const double tolerance = std::max(model_accuracy * worst_, unconcerning * wanted * beta_);
  model_.choose(working_, curvature_, loss_.quadratic());
  passes_ += model_.descend(alpha_, q_, tolerance, control, x);
  search(x);
}

template <class Real>
void ScpSolver<Real>::take(const std::vector<double>& x) {
  for (std::size_t i = 0; i < working_.size(); ++i) {
    std::copy_n(x.data() + i * outputs_, outputs_, alpha_.data() + working_[i] * outputs_);
  }
}

/// From α towards the x of the working set: all the way for a loss that is its own model, otherwise
/// halved until the objective falls by a share of what its slope promises.
template <class Real>
void ScpSolver<Real>::search(const std::vector<double>& x) {
  if (loss_.quadratic()) {
    take(x);
    return;
  }
  from_ = alpha_;
  take(x);
  to_ = alpha_;
  place(view(z_to_));
  const double at_start = loss_.value(view(z_)) + beta_ * penalty(from_);
  double slope = beta_ * (penalty(to_) - penalty(from_));
  for (std::size_t i = 0; i < z_.size(); ++i) slope += gradient_[i] * (z_to_[i] - z_[i]);
  double share = 1;
  for (int halving = 0; halving < most_halvings; ++halving, share *= 0.5) {
    for (std::size_t i = 0; i < alpha_.size(); ++i) {
      alpha_[i] = from_[i] + share * (to_[i] - from_[i]);
    }
    for (std::size_t i = 0; i < z_.size(); ++i) trial_[i] = z_[i] + share * (z_to_[i] - z_[i]);
    const double value = loss_.value(view(trial_)) + beta_ * penalty(alpha_);
    if (value <= at_start + sufficient_decrease * share * slope) return;
  }
  alpha_ = from_;
}

template class ScpSolver<float>;
template class ScpSolver<double>;

}  // namespace secondorder::convex_relu
