#include "convex_relu/lbfgs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace secondorder::convex_relu {

namespace {

constexpr double sufficient_decrease = 1e-4;  ///< c₁ of the Wolfe conditions
constexpr double curvature_condition = 0.9;   ///< c₂
constexpr int longest_search = 30;
constexpr std::size_t stall_window = 10;
constexpr double stall_decrease = 1e-7;

}  // namespace

template <class Real>
Lbfgs<Real>::Lbfgs(Algebra<Real>& algebra, Arena& arena, std::size_t rows, std::size_t cols)
    : algebra_(algebra) {
  for (View<Real>* view : {&x_, &gradient_, &trial_, &trial_gradient_, &direction_}) {
    *view = arena.matrix<Real>(rows, cols);
  }
  pairs_.resize(memory);
  for (Pair& pair : pairs_) {
    pair.s = arena.matrix<Real>(rows, cols);
    pair.y = arena.matrix<Real>(rows, cols);
  }
}

template <class Real>
typename Lbfgs<Real>::Outcome Lbfgs<Real>::minimize(std::size_t rows, std::size_t iterations,
                                                    Objective objective) {
  Outcome outcome;
  used_ = 0;
  outcome.value = objective(part(x_, rows), part(gradient_, rows));
  outcome.evaluations = 1;
  std::array<double, stall_window> before{};
  before.fill(std::numeric_limits<double>::infinity());
  for (std::size_t k = 0; k < iterations; ++k) {
    algebra_.checkpoint();
    double& earlier = before[k % stall_window];
    if (earlier - outcome.value <= stall_decrease * std::abs(outcome.value)) break;
    earlier = outcome.value;
    const auto g = part(gradient_, rows);
    const double norm = std::sqrt(algebra_.dot(g, g));
    if (!(norm > 0)) break;
    two_loop_recursion(rows);
    if (!line_search(rows, used_ > 0 ? 1 : std::min(1.0, 1 / norm), objective, outcome)) {
      if (used_ == 0) break;
      used_ = 0;  // the pairs may be what leads astray: once more from steepest descent
      continue;
    }
    ++outcome.iterations;
  }
  return outcome;
}

/// direction = −H·g (algorithm 7.4), H₀ = sᵀy/yᵀy of the latest pair.
template <class Real>
void Lbfgs<Real>::two_loop_recursion(std::size_t rows) {
  const auto d = part(direction_, rows);
  algebra_.axpby(-1, part(gradient_, rows), 0, d);
  if (used_ == 0) return;
  std::array<double, memory> alpha{};
  const auto pair = [&](std::size_t age) -> const Pair& {
    return pairs_[(newest_ + memory - 1 - age) % memory];
  };
  for (std::size_t age = 0; age < used_; ++age) {
    const Pair& p = pair(age);
    alpha[age] = algebra_.dot(part(p.s, rows), d) / p.curvature;
    algebra_.axpby(static_cast<Real>(-alpha[age]), part(p.y, rows), 1, d);
  }
  const auto y = part(pair(0).y, rows);
  algebra_.axpby(0, d, static_cast<Real>(pair(0).curvature / algebra_.dot(y, y)), d);
  for (std::size_t age = used_; age-- > 0;) {
    const Pair& p = pair(age);
    const double beta = algebra_.dot(part(p.y, rows), d) / p.curvature;
    algebra_.axpby(static_cast<Real>(alpha[age] - beta), part(p.s, rows), 1, d);
  }
}

/// Moves x along the direction to a step that meets the weak Wolfe conditions, between a step that
/// is too short and one that is too long; false, and x as it was, where no step lowers f.
template <class Real>
bool Lbfgs<Real>::line_search(std::size_t rows, double first_step, Objective objective,
                              Outcome& outcome) {
  const auto d = part(direction_, rows), trial = part(trial_, rows);
  const double slope = algebra_.dot(part(gradient_, rows), d);
  if (!(slope < 0)) return false;
  double too_short = 0, too_long = std::numeric_limits<double>::infinity();
  double step = first_step, value = outcome.value;
  bool lowered = false;
  for (int search = 0; search < longest_search; ++search) {
    algebra_.copy(part(x_, rows), trial);
    algebra_.axpby(static_cast<Real>(step), d, 1, trial);
    value = objective(trial, part(trial_gradient_, rows));
    ++outcome.evaluations;
    lowered = value < outcome.value;
    if (!(value <= outcome.value + sufficient_decrease * step * slope)) {
      too_long = step;
      // The parabola through both values and the slope, kept within the bracket.
      const double parabola = -slope * step * step / (2 * (value - outcome.value - slope * step));
      const double low = too_short + 0.1 * (too_long - too_short);
      const double middle = 0.5 * (too_short + too_long);
      step = too_short == 0 && std::isfinite(parabola) ? std::clamp(parabola, low, middle) : middle;
    } else if (algebra_.dot(part(trial_gradient_, rows), d) < curvature_condition * slope) {
      too_short = step;
      step = std::isfinite(too_long) ? 0.5 * (too_short + too_long) : 2 * step;
    } else {
      break;
    }
  }
  if (!lowered) return false;
  outcome.value = value;
  update_memory(rows);
  std::swap(x_, trial_);
  std::swap(gradient_, trial_gradient_);
  return true;
}

/// s = x⁺ − x, y = g⁺ − g, kept where sᵀy is safely positive.
template <class Real>
void Lbfgs<Real>::update_memory(std::size_t rows) {
  Pair& pair = pairs_[newest_];
  const auto s = part(pair.s, rows), y = part(pair.y, rows);
  algebra_.copy(part(trial_, rows), s);
  algebra_.axpby(-1, part(x_, rows), 1, s);
  algebra_.copy(part(trial_gradient_, rows), y);
  algebra_.axpby(-1, part(gradient_, rows), 1, y);
  pair.curvature = algebra_.dot(s, y);
  const double least = 1e-10 * std::sqrt(algebra_.dot(s, s) * algebra_.dot(y, y));
  if (!(pair.curvature > least)) return;
  newest_ = (newest_ + 1) % memory;
  used_ = std::min(used_ + 1, memory);
}

template class Lbfgs<float>;
template class Lbfgs<double>;

}  // namespace secondorder::convex_relu
