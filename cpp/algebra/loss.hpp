// The losses, one row (sample) at a time: value, conjugate, proximal step. Plain functions of
// scalars, shared by every device and by the float64 certificate.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/host_device.hpp"

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

/// ℓ(z, y) of one row, and its gradient g in z. The hinge is smoothed: its slope falls from 1 to 0
/// over a margin yz from 1 − smoothing to 1, so that it is at most smoothing/2 too small per
/// output.
template <class Real>
SECONDORDER_HOST_DEVICE double value_and_gradient(Loss loss, double smoothing, const Real* z,
                                                  const Real* y, std::size_t c, double* g) {
  if (loss == Loss::softmax) {
    double top = z[0], total = 0, mass = 0;
    for (std::size_t o = 1; o < c; ++o) top = z[o] > top ? static_cast<double>(z[o]) : top;
    for (std::size_t o = 0; o < c; ++o) {
      g[o] = std::exp(z[o] - top);
      total += g[o];
      mass += y[o];
    }
    for (std::size_t o = 0; o < c; ++o) g[o] = mass / total * g[o] - y[o];
    return value(loss, z, y, c);
  }
  double sum = 0;
  for (std::size_t o = 0; o < c; ++o) {
    const double target = y[o], margin = target * z[o];
    if (loss == Loss::squared) {
      g[o] = z[o] - target;
    } else if (loss == Loss::logistic) {
      g[o] = -target / (1 + std::exp(margin));
    } else {
      const double missing = margin < 1 ? 1 - margin : 0;
      const double slope = missing < smoothing ? missing / smoothing : (missing > 0 ? 1 : 0);
      g[o] = -target * slope;
      sum += slope < 1 ? 0.5 * slope * missing : missing - 0.5 * smoothing;
    }
  }
  return loss == Loss::hinge ? sum : value(loss, z, y, c);
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

/// Root in [low, high] of an increasing function, which returns its value and slope: Newton, with
/// bisection where that leaves the bracket or fails to halve the last step (flat tails make it
/// bounce).
template <class Function>
SECONDORDER_HOST_DEVICE double increasing_root(double low, double high, double x,
                                               Function function) {
  double last = high - low;
  for (int step = 0; step < 200; ++step) {
    double slope = 0;
    const double value = function(x, slope);
    (value < 0 ? low : high) = x;
    double move = -value / slope;
    const double resolution = 2e-16 * (1 + std::abs(x));
    if (std::abs(move) <= resolution) return x;
    if (!(x + move > low && x + move < high) || std::abs(move) > 0.5 * last) {
      move = 0.5 * (low + high) - x;
      if (std::abs(move) <= resolution) return x;
    }
    last = std::abs(move);
    x += move;
  }
  return x;
}

/// Root of the derivative of log(1 + e^(−yz)) + t/2 (z − a)².
SECONDORDER_HOST_DEVICE inline double logistic_prox(double a, double y, double t) {
  return increasing_root(y > 0 ? a : a + y / t, y > 0 ? a + y / t : a, a,
                         [=](double z, double& slope) {
                           const double s = 1 / (1 + std::exp(y * z));
                           slope = s * (1 - s) + t;
                           return -y * s + t * (z - a);
                         });
}

/// w + log(w) = s (the Wright omega function), by Newton.
SECONDORDER_HOST_DEVICE inline double wright_omega(double s) {
  double w = s > 1 ? s - std::log(s) : std::exp(s) / (1 + std::exp(s));
  for (int step = 0; step < 8 && w > 0; ++step) {
    const double next = w * (1 + s - std::log(w)) / (1 + w);
    const bool done = std::abs(next - w) <= 2e-16 * w;
    w = next;
    if (done) break;
  }
  return w;
}

/// Root of softmax(z)·m − y + t(z − a) = 0, m = Σy. With L = log Σeᶻ and w = softmax(z)·m/t every
/// entry solves w + log(w) = log(m/t) + a + y/t − L, which leaves Σw = m/t to be met by L alone.
template <class Real>
SECONDORDER_HOST_DEVICE void softmax_prox(const Real* a, const Real* y, double t, std::size_t c,
                                          Real* z, double* p, double* step) {
  double mass = 0, top = -1e300, bottom = -1e300;
  for (std::size_t o = 0; o < c; ++o) mass += y[o];
  for (std::size_t o = 0; o < c; ++o) {
    step[o] = a[o] + y[o] / t;
    top = step[o] > top ? step[o] : top;
    bottom = step[o] - mass / t > bottom ? step[o] - mass / t : bottom;
    z[o] = a[o];
  }
  if (!(mass > 0)) return;
  const double scale = std::log(mass / t);
  increasing_root(bottom, top + std::log(static_cast<double>(c)), bottom,
                  [&](double level, double& slope) {
                    double sum = 0;
                    slope = 0;
                    for (std::size_t o = 0; o < c; ++o) {
                      p[o] = wright_omega(scale + step[o] - level);
                      sum += p[o];
                      slope += p[o] / (1 + p[o]);
                    }
                    return mass / t - sum;
                  });
  for (std::size_t o = 0; o < c; ++o) z[o] = static_cast<Real>(step[o] - p[o]);
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
