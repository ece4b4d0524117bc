#include "convex_relu/scp_model.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace secondorder::convex_relu {

namespace {

constexpr std::size_t most_passes = 2000;

/// Passes between extrapolations, which combine as many differences.
constexpr std::size_t depth = 5;

/// Solves on the support in a row, each with fewer columns or the last.
constexpr std::size_t most_solves = 20;

/// Of the mean diagonal of G on the support, for columns that depend on each other.
constexpr double support_ridge = 1e-10;

/// c = M⁻¹1/(1ᵀM⁻¹1) for M = DᵀD + a share of its trace, by elimination; false where that fails.
bool combination(std::vector<double> m, std::vector<double>& c) {
  double trace = 0, sum = 0;
  for (std::size_t i = 0; i < depth; ++i) trace += m[i * depth + i];
  if (!(trace > 0)) return false;
  for (std::size_t i = 0; i < depth; ++i) m[i * depth + i] += 1e-10 * trace;
  c.assign(depth, 1);
  for (std::size_t i = 0; i < depth; ++i) {
    for (std::size_t j = i + 1; j < depth; ++j) {
      const double factor = m[j * depth + i] / m[i * depth + i];
      for (std::size_t l = i; l < depth; ++l) m[j * depth + l] -= factor * m[i * depth + l];
      c[j] -= factor * c[i];
    }
  }
  for (std::size_t i = depth; i-- > 0;) {
    for (std::size_t j = i + 1; j < depth; ++j) c[i] -= m[i * depth + j] * c[j];
    c[i] /= m[i * depth + i];
    sum += c[i];
  }
  for (double& entry : c) entry /= sum;
  return std::isfinite(sum) && sum != 0;
}

}  // namespace

template <class Real>
ScpModel<Real>::ScpModel(const ScpColumns<Real>& columns, std::size_t outputs, double beta,
                         HostAlgebra& host)
    : outputs_(outputs), beta_(beta), host_(host), gram_(columns) {}

template <class Real>
void ScpModel<Real>::choose(std::span<const std::size_t> working, std::span<const double> curvature,
                            bool same_curvature) {
  std::unordered_map<std::size_t, std::size_t> places;
  if (same_curvature) {
    for (std::size_t i = 0; i < held_.size(); ++i) places[held_[i]] = i;
  }
  std::size_t fresh = 0;
  for (const std::size_t j : working) fresh += places.count(j) == 0 ? 1 : 0;
  if (places.size() + fresh > gram_.capacity()) places.clear();
  if (places.empty()) held_.clear();
  const std::size_t known = held_.size();
  working_.clear();
  for (const std::size_t j : working) {
    const auto [place, is_new] = places.emplace(j, held_.size());
    if (is_new) held_.push_back(j);
    working_.push_back(place->second);
  }
  gram_.form(held_, known, curvature, host_);
}

template <class Real>
std::size_t ScpModel<Real>::descend(std::span<const double> alpha, std::span<const double> q,
                                    double tolerance, const RunControl& control,
                                    std::vector<double>& x) {
  const std::size_t count = held_.size(), used = working_.size();
  State start{std::vector<double>(outputs_ * count), std::vector<double>(outputs_ * count)};
  for (std::size_t o = 0; o < outputs_; ++o) {
    for (std::size_t i = 0; i < count; ++i) {
      start.x[o * count + i] = alpha[held_[i] * outputs_ + o];
      start.q[o * count + i] = q[held_[i] * outputs_ + o];
    }
  }
  State state = start;
  std::vector<State> states{start};
  std::size_t passes = 0;
  while (passes < most_passes && !control.stop_requested()) {
    ++passes;
    if (pass(state) <= tolerance) break;
    states.push_back(state);
    if (states.size() <= depth) continue;
    std::size_t solved = 0;
    while (outputs_ == 1 && solved < most_solves && solve_on_support(start, state)) ++solved;
    if (solved == 0) extrapolate(states, start, state);
    states.assign(1, state);
  }
  x.resize(used * outputs_);
  for (std::size_t i = 0; i < used; ++i) {
    for (std::size_t o = 0; o < outputs_; ++o) {
      x[i * outputs_ + o] = state.x[o * count + working_[i]];
    }
  }
  return passes;
}

/// One step on each xⱼ: xⱼ ← (1 − β/‖u‖)₊·u/Gⱼⱼ with u = Gⱼⱼxⱼ − qⱼ. Returns the largest change of
/// a qⱼ by its own step.
template <class Real>
double ScpModel<Real>::pass(State& state) const {
  const std::size_t count = held_.size();
  std::vector<double> u(outputs_), before(outputs_);
  double largest = 0;
  for (const std::size_t j : working_) {
    const double* row = gram_.row(j);
    const double curvature = row[j];
    double squares = 0, moved = 0;
    for (std::size_t o = 0; o < outputs_; ++o) {
      before[o] = state.x[o * count + j];
      u[o] = curvature * before[o] - state.q[o * count + j];
      squares += u[o] * u[o];
    }
    const double norm = std::sqrt(squares);
    const double keep = curvature > 0 && norm > beta_ ? (1 - beta_ / norm) / curvature : 0;
    for (std::size_t o = 0; o < outputs_; ++o) {
      const double step = keep * u[o] - before[o];
      if (step == 0) continue;
      state.x[o * count + j] = keep * u[o];
      moved += step * step;
      double* q = state.q.data() + o * count;
      for (std::size_t i = 0; i < count; ++i) q[i] += step * row[i];
    }
    largest = std::max(largest, curvature * std::sqrt(moved));
  }
  return largest;
}

/// Of the model: ½⟨q⁰ + q, x − α⟩ + β Σ‖xⱼ‖.
template <class Real>
double ScpModel<Real>::value(const State& start, const State& state) const {
  const std::size_t count = held_.size();
  double sum = 0;
  for (const std::size_t j : working_) {
    double squares = 0;
    for (std::size_t o = 0; o < outputs_; ++o) {
      const std::size_t i = o * count + j;
      sum += 0.5 * (start.q[i] + state.q[i]) * (state.x[i] - start.x[i]);
      squares += state.x[i] * state.x[i];
    }
    sum += beta_ * std::sqrt(squares);
  }
  return sum;
}

/// One output: moves to the minimizer among the x of the same signs as these, as far as they stay
/// so, or with those that would change it at 0, where the model is lower there.
template <class Real>
bool ScpModel<Real>::solve_on_support(const State& start, State& state) {
  std::vector<std::size_t> support;
  for (const std::size_t j : working_) {
    if (state.x[j] != 0) support.push_back(j);
  }
  const std::size_t size = support.size();
  if (size == 0) return false;
  factor_.resize(size * size);
  std::vector<double> move(size);
  double trace = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double* row = gram_.row(support[i]);
    for (std::size_t j = 0; j < size; ++j) factor_[i * size + j] = row[support[j]];
    trace += row[support[i]];
    move[i] = -state.q[support[i]] - std::copysign(beta_, state.x[support[i]]);
  }
  for (std::size_t i = 0; i < size; ++i) {
    factor_[i * size + i] += support_ridge * trace / static_cast<double>(size);
  }
  const View<double> factor(factor_.data(), size, size);
  if (!host_.cholesky(factor)) return false;
  host_.cholesky_solve(factor, {move.data(), size, 1});
  double share = 1;  // up to the first change of sign
  for (std::size_t i = 0; i < size; ++i) {
    const double x = state.x[support[i]];
    if ((x + move[i]) * x < 0) share = std::min(share, -x / move[i]);
  }
  const double before = value(start, state);
  for (const double part : {1.0, share}) {
    State trial = state;
    for (std::size_t i = 0; i < size; ++i) {
      const double x = state.x[support[i]], to = x + part * move[i];
      trial.x[support[i]] = to * x > 1e-12 * x * x ? to : 0;  // not what rounding leaves of x
    }
    for (std::size_t i = 0; i < size; ++i) {
      const double step = trial.x[support[i]] - state.x[support[i]];
      const double* row = gram_.row(support[i]);
      for (std::size_t j = 0; j < trial.q.size(); ++j) trial.q[j] += step * row[j];
    }
    if (!(value(start, trial) < before)) continue;
    state = std::move(trial);
    return true;
  }
  return false;
}

/// Moves to Σ cᵢxᵢ, Σc = 1, which makes the combined differences of the passes least, where the
/// model is lower there.
template <class Real>
bool ScpModel<Real>::extrapolate(const std::vector<State>& states, const State& start,
                                 State& state) const {
  const std::size_t size = state.x.size();
  std::vector<double> products(depth * depth), c;
  const auto difference = [&](std::size_t i, std::size_t at) {
    return states[i + 1].x[at] - states[i].x[at];
  };
  for (std::size_t i = 0; i < depth; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (std::size_t at = 0; at < size; ++at) sum += difference(i, at) * difference(j, at);
      products[i * depth + j] = products[j * depth + i] = sum;
    }
  }
  if (!combination(products, c)) return false;
  State trial{std::vector<double>(size), std::vector<double>(size)};
  for (std::size_t i = 0; i < depth; ++i) {
    for (std::size_t at = 0; at < size; ++at) {
      trial.x[at] += c[i] * states[i + 1].x[at];
      trial.q[at] += c[i] * states[i + 1].q[at];
    }
  }
  if (!(value(start, trial) < value(start, state))) return false;
  state = std::move(trial);
  return true;
}

template class ScpModel<float>;
template class ScpModel<double>;

}  // namespace secondorder::convex_relu
