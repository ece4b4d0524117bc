#include "convex_relu/robust_certificate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "convex_relu/dual_bound.hpp"

namespace secondorder::convex_relu {

namespace {

double weight_of(const Targets& targets, std::size_t k) {
  return targets.weights.empty() ? 1 : targets.weights[k];
}

/// c of sample k for the squared loss: the least that its ν and ξ allow.
double residual(const RobustData& data, const RobustDual& dual, std::size_t k) {
  double c = std::abs(dual.nu[k]);
  for (std::size_t j = 0; j < data.features; ++j) {
    const double shift = std::abs(dual.shifts[k * data.features + j]);
    if (shift > 0) c = std::max(c, shift / data.radius[j]);
  }
  return c;
}

}  // namespace

std::vector<double> project_robust_dual(const RobustData& data, RobustDual& dual) {
  const std::size_t f = data.features;
  std::vector<double> multipliers(data.rows * f);
  for (std::size_t k = 0; k < data.rows; ++k) {
    const double weight = weight_of(data.targets, k);
    double nu = weight > 0 ? dual.nu[k] / weight : 0;
    losses::project_dual(data.loss, &nu, data.targets.y.data() + k, 1);
    dual.nu[k] = nu * weight;  // without a weight: 0, and no shift
    const double most = std::abs(dual.nu[k]);
    for (std::size_t j = 0; j < f; ++j) {
      double& shift = dual.shifts[k * f + j];
      const double r = data.radius[j];
      if (r == 0 || weight == 0) {
        shift = 0;
      } else if (data.loss != Loss::squared) {
        shift = std::clamp(shift, -r * most, r * most);
      }
      multipliers[k * f + j] = dual.nu[k] * data.x[k * f + j] + shift;
    }
  }
  return multipliers;
}

double scaled_robust_dual(const RobustData& data, const RobustDual& dual, double largest) {
  const Targets& targets = data.targets;
  if (data.loss != Loss::squared) {
    return scaled_dual(data.loss, dual.nu, targets.y, targets.weights, 1, data.beta, largest);
  }
  double squares = 0, product = 0;
  for (std::size_t k = 0; k < data.rows; ++k) {
    if (weight_of(targets, k) == 0) continue;
    const double c = residual(data, dual, k);
    squares += c * c / weight_of(targets, k);
    product += dual.nu[k] * targets.y[k];
  }
  if (squares <= 0) return 0;
  const double most = largest > 0 ? data.beta / largest : std::numeric_limits<double>::infinity();
  const double tau = std::clamp(-product / squares, 0.0, most);
  return -tau * (0.5 * tau * squares + product);
}

double robust_dual_norm(const double* c, double sign, const double* g, double multiplier_sum,
                        const std::vector<double>& radius) {
  double squares = 0;
  for (std::size_t j = 0; j < radius.size(); ++j) {
    const double value = sign * c[j] - (g == nullptr ? 0 : g[j]);
    const double rest = robust::soft(value, radius[j] * multiplier_sum);
    squares += rest * rest;
  }
  return std::sqrt(squares);
}

}  // namespace secondorder::convex_relu
