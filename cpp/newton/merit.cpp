#include "newton/merit.hpp"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.hpp"

namespace secondorder::newton {

namespace {

constexpr double nu = 1.5, largest_eta1 = 1e8, smallest_eta2 = 1e-8;
constexpr double armijo = 1e-4, shortest = 1e-12;
/// What rounding may add, against the value.
constexpr double rounding = 1e-14;

}  // namespace

double ExactAugmentedLagrangian::value(const State& state) const {
  return state.at.f + dot(state.at.c, state.lambda) + 0.5 * eta1 * dot(state.at.c, state.at.c) +
         0.5 * eta2 * dot(state.gradient, state.gradient);
}

void ExactAugmentedLagrangian::update(const State& state, LagrangianHessian& hessian) {
  curvature_.resize(state.gradient.size());
  image_.resize(state.lambda.size());
  across_.resize(state.lambda.size());
  hessian.multiply(state.gradient, curvature_);
  state.at.jacobian.multiply(state.gradient, image_);
  residual_squared_ = dot(state.gradient, state.gradient) + dot(state.at.c, state.at.c);
}

double ExactAugmentedLagrangian::slope(const State& state, std::span<const double> dx,
                                       std::span<const double> dlambda) {
  state.at.jacobian.multiply(dx, across_);
  return dot(state.gradient, dx) + eta2 * dot(curvature_, dx) + eta1 * dot(state.at.c, across_) +
         dot(state.at.c, dlambda) + eta2 * dot(image_, dlambda);
}

bool ExactAugmentedLagrangian::adapt() {
  if (eta1 > largest_eta1 || eta2 < smallest_eta2) return false;
  eta1 *= nu * nu;
  eta2 /= nu;
  return true;
}

/// The slope of a direction that descends enough, where it can be had: by a more accurate
/// direction first, by other η, by an exact direction at last.
double MeritSearch::find_descent(const State& from, NewtonStep& step) {
  merit_.update(from, hessian_);
  double slope = merit_.slope(from, step.dx(), step.dlambda());
  while (!merit_.descends(slope)) {
    if (!step.tighten() && !merit_.adapt()) {
      if (!step.solve_exactly()) break;
      merit_ = {};
      merit_.update(from, hessian_);
    }
    slope = merit_.slope(from, step.dx(), step.dlambda());
  }
  return slope;
}

bool MeritSearch::search(const State& from, NewtonStep& step, State& to, double& length) {
  const double slope = std::min(find_descent(from, step), 0.0);
  const double start = merit_.value(from);
  length = 1;
  while (!try_point(from, step, length, to) ||
         !(merit_.value(to) <= start + armijo * length * slope + rounding * std::abs(start))) {
    length *= 0.5;
    if (length < shortest) return false;
  }
  return true;
}

/// Whether everything is finite there.
bool MeritSearch::try_point(const State& from, const NewtonStep& step, double length, State& to) {
  pool_.checkpoint();
  to.at.x = from.at.x;
  add(length, step.dx(), to.at.x);
  problem_.evaluate(to.at);
  if (!to.at.values_finite()) return false;
  problem_.differentiate(to.at);
  if (!to.at.derivatives_finite()) return false;
  to.lambda = from.lambda;
  add(length, step.dlambda(), to.lambda);
  to.update_gradient();
  return true;
}

}  // namespace secondorder::newton
