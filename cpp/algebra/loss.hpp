// The losses, one row (sample) at a time: value, conjugate, proximal step. Plain functions of
// scalars, shared by every device and by the float64 certificate.
#pragma once

#include <cmath>
#include <cstddef>

#if defined(__CUDACC__)
#define SECONDORDER_HOST_DEVICE __host__ __device__
#elif !defined(SECONDORDER_HOST_DEVICE)
#define SECONDORDER_HOST_DEVICE
#endif

namespace secondorder {

/// squared ½(ŷ − y)²; logistic log(1 + e^(−yŷ)) and hinge max(0, 1 − yŷ) with y = ±1, summed over
/// outputs; softmax: cross entropy of softmax(ŷ) with the row y of class probabilities.
enum class Loss { squared, logistic, hinge, softmax };

namespace losses {

/// x·log(x) with its limit 0 at 0.
SECONDORDER_HOST_DEVICE inline double entropy(double x) { return x > 0 ? x * std::log(x) : 0; }

SECONDORDER_HOST_DEVICE inline double softplus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

/// ℓ(z, y) of one row of c outputs.
template <class Real>
SECONDORDER_HOST_DEVICE double value(Loss loss, const Real* z, const Real* y, std::size_t c) {
  double sum = 0;
  switch (loss) {
    case Loss::squared:
      for (std::size_t o = 0; o < c; ++o) {
        const double e = static_cast<double>(z[o]) - static_cast<double>(y[o]);
        sum += 0.5 * e * e;
      }
      return sum;
    case Loss::logistic:
      for (std::size_t o = 0; o < c; ++o) sum += softplus(-static_cast<double>(y[o]) * z[o]);
      return sum;
    case Loss::hinge:
      for (std::size_t o = 0; o < c; ++o) {
        const double margin = 1 - static_cast<double>(y[o]) * z[o];
        sum += margin > 0 ? margin : 0;
      }
      return sum;
    case Loss::softmax: {
      double top = z[0];
      for (std::size_t o = 1; o < c; ++o) top = z[o] > top ? static_cast<double>(z[o]) : top;
      double total = 0, picked = 0, mass = 0;
      for (std::size_t o = 0; o < c; ++o) {
        total += std::exp(z[o] - top);
        picked += static_cast<double>(y[o]) * z[o];
        mass += y[o];
      }
      return mass * (top + std::log(total)) - picked;
    }
  }
  return sum;
}

/// Moves ν to the nearest simple point of the domain of ℓ*(·, y), where the bound is finite.
SECONDORDER_HOST_DEVICE inline void project_dual(Loss loss, double* nu, const double* y,
                                                 std::size_t c) {
  if (loss == Loss::squared) return;
  if (loss == Loss::softmax) {
    double mass = 0, wanted = 0;
    for (std::size_t o = 0; o < c; ++o) {
      const double p = nu[o] + y[o] > 0 ? nu[o] + y[o] : 0;
      nu[o] = p;
      mass += p;
      wanted += y[o];
    }
    for (std::size_t o = 0; o < c; ++o) {
      nu[o] = (mass > 0 ? nu[o] * (wanted / mass) : wanted / static_cast<double>(c)) - y[o];
    }
    return;
  }
  for (std::size_t o = 0; o < c; ++o) {
    double t = -y[o] * nu[o];  // logistic and hinge: 0 ≤ −yν ≤ 1
    t = t < 0 ? 0 : (t > 1 ? 1 : t);
    nu[o] = -y[o] * t;
  }
}

/// ℓ*(ν, y) of one row, ν in the domain.
SECONDORDER_HOST_DEVICE inline double conjugate(Loss loss, const double* nu, const double* y,
                                                std::size_t c) {
  double sum = 0;
  for (std::size_t o = 0; o < c; ++o) {
    switch (loss) {
      case Loss::squared:
        sum += 0.5 * nu[o] * nu[o] + nu[o] * y[o];
        break;
      case Loss::logistic:
        sum += entropy(-y[o] * nu[o]) + entropy(1 + y[o] * nu[o]);
        break;
      case Loss::hinge:
        sum += y[o] * nu[o];
        break;
      case Loss::softmax:
        sum += entropy(nu[o] + y[o]);
        break;
    }
  }
  return sum;
}

/// Root of the derivative of log(1 + e^(−yz)) + t/2 (z − a)²: Newton, with a bisection wherever a
/// step would leave the bracket or fails to halve the step before (flat tails make it bounce).
SECONDORDER_HOST_DEVICE inline double logistic_prox(double a, double y, double t) {
  double low = y > 0 ? a : a + y / t;
  double high = y > 0 ? a + y / t : a;
  double z = a, last = high - low;
  for (int step = 0; step < 100; ++step) {
    const double s = 1 / (1 + std::exp(y * z));
    const double slope = -y * s + t * (z - a);
    if (slope < 0) {
      low = z;
    } else {
      high = z;
    }
    double next = z - slope / (s * (1 - s) + t);
    if (!(next > low && next < high) || std::abs(next - z) > 0.5 * last) next = 0.5 * (low + high);
    last = std::abs(next - z);
    if (last <= 1e-15 * (1 + std::abs(z))) return next;
    z = next;
  }
  return z;
}

/// Root of softmax(z) − y + t(z − a) = 0 by damped Newton; the Hessian diag(p + t) − ppᵀ is inverted
/// by Sherman and Morrison. `z` holds a on entry; y must sum to `mass`.
template <class Real>
SECONDORDER_HOST_DEVICE void softmax_prox(const Real* a, const Real* y, double t, std::size_t c,
                                          Real* z, double* p, double* step) {
  double mass = 0;
  for (std::size_t o = 0; o < c; ++o) {
    z[o] = a[o];
    mass += y[o];
  }
  double previous = 1e300;
  for (int iteration = 0; iteration < 60; ++iteration) {
    double top = z[0];
    for (std::size_t o = 1; o < c; ++o) top = z[o] > top ? static_cast<double>(z[o]) : top;
    double total = 0;
    for (std::size_t o = 0; o < c; ++o) total += p[o] = std::exp(z[o] - top);
    double pg = 0, pp = 0;  // pᵀD⁻¹g and pᵀD⁻¹p / mass
    for (std::size_t o = 0; o < c; ++o) {
      p[o] *= mass / total;
      const double gradient = p[o] - y[o] + t * (static_cast<double>(z[o]) - a[o]);
      const double diagonal = p[o] + t;
      step[o] = gradient / diagonal;
      pg += p[o] * step[o];
      pp += p[o] * p[o] / diagonal;
    }
    const double shift = mass > 0 ? pg / (mass - pp) : 0;
    double decrement = 0;
    for (std::size_t o = 0; o < c; ++o) {
      const double gradient = p[o] - y[o] + t * (static_cast<double>(z[o]) - a[o]);
      step[o] += p[o] / (p[o] + t) * shift;
      decrement += gradient * step[o];
    }
    const double root = std::sqrt(decrement > 0 ? decrement : 0);
    const double damping = root > 0.25 ? 1 / (1 + root) : 1;
    double change = 0;
    for (std::size_t o = 0; o < c; ++o) {
      z[o] = static_cast<Real>(z[o] - damping * step[o]);
      change += step[o] * step[o];
    }
    // Newton has converged when a full step no longer shrinks: rounding is all that is left.
    if (change <= 1e-30 || (damping == 1 && change >= previous)) return;
    previous = damping == 1 ? change : 1e300;
  }
}

/// z = argmin weight·ℓ(z, y) + penalty/2·‖z − q‖² for one row. `work` holds 2c doubles.
template <class Real>
SECONDORDER_HOST_DEVICE void prox(Loss loss, const Real* q, const Real* y, double penalty,
                                  std::size_t c, Real* z, double* work) {
  switch (loss) {
    case Loss::squared:
      for (std::size_t o = 0; o < c; ++o) {
        z[o] = static_cast<Real>((penalty * q[o] + y[o]) / (1 + penalty));
      }
      return;
    case Loss::logistic:
      for (std::size_t o = 0; o < c; ++o) {
        z[o] = static_cast<Real>(logistic_prox(q[o], y[o], penalty));
      }
      return;
    case Loss::hinge:
      for (std::size_t o = 0; o < c; ++o) {
        double move = 1 - static_cast<double>(y[o]) * q[o];
        move = move < 0 ? 0 : (move > 1 / penalty ? 1 / penalty : move);
        z[o] = static_cast<Real>(q[o] + y[o] * move);
      }
      return;
    case Loss::softmax:
      softmax_prox(q, y, penalty, c, z, work, work + c);
      return;
  }
}

}  // namespace losses
}  // namespace secondorder
