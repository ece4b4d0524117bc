#include "reference_instance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace secondorder::reference {

namespace {

constexpr Real kInfinity = std::numeric_limits<Real>::infinity();

void require(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

void check(const ReferenceProblem& p) {
  require(p.samples > 0 && p.features > 0 && p.gates > 0 && p.outputs > 0, "empty problem");
  require(p.x.size() == p.samples * p.features, "x must be n x d");
  require(p.mask.size() == p.samples * p.gates, "mask must be n x P");
  require(p.y.size() == p.samples * p.outputs, "y must be n x c");
  require(p.sample_weights.empty() || p.sample_weights.size() == p.samples,
          "sample_weights must have n entries");
  require(p.beta > 0, "beta must be positive");
  for (double bit : p.mask) require(bit == 0 || bit == 1, "mask entries must be 0 or 1");
  if (p.loss == Loss::logistic || p.loss == Loss::hinge) {
    for (double label : p.y) require(label == 1 || label == -1, "labels must be +1 or -1");
  }
}

Real softplus(Real x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

Real sigmoid(Real x) { return x > 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

Vector softmax(std::span<const Real> z) {
  const Real top = *std::max_element(z.begin(), z.end());
  Vector shares(z.size());
  Real total = 0;
  for (std::size_t k = 0; k < z.size(); ++k) total += shares[k] = std::exp(z[k] - top);
  for (Real& share : shares) share /= total;
  return shares;
}

/// x log x, infinite for x < 0.
Real entropy(Real x) {
  if (x < 0) return kInfinity;
  return x > 0 ? x * std::log(x) : 0;
}

}  // namespace

Instance::Instance(const ReferenceProblem& p) : problem(p) {
  check(p);
  const std::size_t n = p.samples, d = p.features, P = p.gates, c = p.outputs;
  const bool constrained = p.model == ReferenceModel::cone;
  signs = constrained ? 2 : 1;
  unknowns = signs * c * P * d;
  prediction = Matrix(n * c, unknowns);
  cone = Matrix(constrained ? signs * c * P * n : 0, unknowns);
  const bool shared = p.penalty == ReferencePenalty::gate;
  groups.resize(shared ? signs * P : signs * c * P);
  for (std::size_t sign = 0; sign < signs; ++sign) {
    for (std::size_t output = 0; output < c; ++output) {
      for (std::size_t gate = 0; gate < P; ++gate) {
        const std::size_t block = (sign * c + output) * P + gate;
        for (std::size_t feature = 0; feature < d; ++feature) {
          const std::size_t unknown = block * d + feature;
          groups[shared ? sign * P + gate : block].push_back(unknown);
          for (std::size_t k = 0; k < n; ++k) {
            const Real entry = p.x[k * d + feature];
            const Real bit = p.mask[k * P + gate];
            prediction(k * c + output, unknown) = (sign == 0 ? 1 : -1) * bit * entry;
            if (constrained) cone(block * n + k, unknown) = (2 * bit - 1) * entry;
          }
        }
      }
    }
  }
}

Real Instance::sample_weight(std::size_t sample) const {
  return problem.sample_weights.empty() ? 1 : problem.sample_weights[sample];
}

std::span<const double> Instance::target(std::size_t sample) const {
  return {problem.y.data() + sample * problem.outputs, problem.outputs};
}

Real loss_value(Loss loss, std::span<const Real> z, std::span<const double> y) {
  Real sum = 0;
  if (loss == Loss::softmax) {
    const Real top = *std::max_element(z.begin(), z.end());
    Real total = 0;
    for (Real score : z) total += std::exp(score - top);
    sum = top + std::log(total);
  }
  for (std::size_t k = 0; k < z.size(); ++k) {
    switch (loss) {
      case Loss::squared:
        sum += (z[k] - y[k]) * (z[k] - y[k]) / 2;
        break;
      case Loss::logistic:
        sum += softplus(-y[k] * z[k]);
        break;
      case Loss::hinge:
        sum += std::max(Real{0}, 1 - y[k] * z[k]);
        break;
      case Loss::softmax:
        sum -= y[k] * z[k];
        break;
    }
  }
  return sum;
}

void loss_gradient(Loss loss, std::span<const Real> z, std::span<const double> y,
                   std::span<Real> gradient) {
  const Vector shares = loss == Loss::softmax ? softmax(z) : Vector(z.size());
  for (std::size_t k = 0; k < z.size(); ++k) {
    if (loss == Loss::squared) gradient[k] = z[k] - y[k];
    if (loss == Loss::logistic) gradient[k] = -y[k] * sigmoid(-y[k] * z[k]);
    if (loss == Loss::softmax) gradient[k] = shares[k] - y[k];
  }
}

void loss_hessian(Loss loss, std::span<const Real> z, std::span<const double> y, Matrix& hessian) {
  const Vector shares = loss == Loss::softmax ? softmax(z) : Vector(z.size());
  for (std::size_t k = 0; k < z.size(); ++k) {
    for (std::size_t l = 0; l < z.size(); ++l) {
      hessian(k, l) = loss == Loss::softmax ? -shares[k] * shares[l] : 0;
    }
    if (loss == Loss::squared) hessian(k, k) = 1;
    if (loss == Loss::logistic) hessian(k, k) = sigmoid(y[k] * z[k]) * sigmoid(-y[k] * z[k]);
    if (loss == Loss::softmax) hessian(k, k) += shares[k];
  }
}

Real loss_conjugate(Loss loss, std::span<const Real> nu, std::span<const double> y) {
  Real sum = 0, mass = 0;
  for (std::size_t k = 0; k < nu.size(); ++k) {
    const Real share = -y[k] * nu[k];  // of the +-1 losses
    switch (loss) {
      case Loss::squared:
        sum += nu[k] * nu[k] / 2 + nu[k] * y[k];
        break;
      case Loss::logistic:
        sum += entropy(share) + entropy(1 - share);
        break;
      case Loss::hinge:
        sum += share < 0 || share > 1 ? kInfinity : -share;
        break;
      case Loss::softmax:
        sum += entropy(nu[k] + y[k]);
        mass += nu[k];
        break;
    }
  }
  // The softmax's domain is a simplex; rounded shares may miss it by a few units of the last place.
  constexpr Real kRounding = 1e-14L;
  return std::abs(mass) > kRounding * static_cast<Real>(nu.size()) ? kInfinity : sum;
}

}  // namespace secondorder::reference
