// Worst cases over the box |Δⱼ| ≤ rⱼ, one row at a time: the robust losses and cones of adversarial
// training (arXiv 2201.01965, section 5) and their proximal steps, each of which comes down to one
// root. Plain functions of rows, shared by every device and by the float64 certificate.
#pragma once

#include <cmath>
#include <cstddef>

#include "algebra/loss.hpp"

namespace secondorder::robust {

/// The point nearest to 0 within `threshold` of `value`.
SECONDORDER_HOST_DEVICE inline double soft(double value, double threshold) {
  return value > threshold ? value - threshold : (value < -threshold ? value + threshold : 0);
}

/// The worst output for a target: outputs reach from `output` − `spread` to `output` + `spread`.
SECONDORDER_HOST_DEVICE inline double worst_output(Loss loss, double output, double spread,
                                                   double y) {
  if (loss == Loss::squared) return output >= y ? output + spread : output - spread;
  return output - y * spread;  // y = ±1
}

/// φ(q) = max over Δ of ℓ((x + Δ)ᵀq, y), given xᵀq and rᵀ|q|; hinge, logistic and squared.
SECONDORDER_HOST_DEVICE inline double value(Loss loss, double output, double spread, double y) {
  const double worst = worst_output(loss, output, spread, y);
  return losses::value(loss, &worst, &y, 1);
}

/// A sample with its box.
template <class Real>
struct Sample {
  const Real* x;
  const Real* radius;
  double y;
  std::size_t features;
};

/// q(ν, c) = soft(a − ν/t·x, c/t·r), the minimiser of νxᵀq + c·rᵀ|q| + t/2‖q − a‖²: xᵀq, rᵀ|q| and
/// their derivatives along (ν, c).
struct Reflection {
  double output = 0, spread = 0;
  double output_nu = 0, output_c = 0, spread_c = 0;  ///< spread_nu = output_c
};

template <class Real>
SECONDORDER_HOST_DEVICE Reflection reflect(const Sample<Real>& sample, const Real* a, double nu,
                                           double c, double t) {
  Reflection sums;
  for (std::size_t j = 0; j < sample.features; ++j) {
    const double x = sample.x[j], r = sample.radius[j];
    const double q = soft(a[j] - nu / t * x, c / t * r);
    if (q == 0) continue;
    const double signed_r = q > 0 ? r : -r;
    sums.output += x * q;
    sums.spread += signed_r * q;
    sums.output_nu -= x * x / t;
    sums.output_c -= x * signed_r / t;
    sums.spread_c -= r * r / t;
  }
  return sums;
}

/// Multipliers of a proximal step: ν of xᵀq, c ≥ |ν| of rᵀ|q|.
struct Multipliers {
  double nu = 0, c = 0;
};

/// Hinge and logistic loss, functions h of the margin m = y·xᵀq − rᵀ|q|: c = −h′(m), ν = −y·c.
template <class Real>
SECONDORDER_HOST_DEVICE Multipliers margin_multipliers(Loss loss, const Sample<Real>& sample,
                                                       const Real* a, double t) {
  const double y = sample.y;
  const auto margin = [&](double c, double& slope) {
    const Reflection at = reflect(sample, a, -y * c, c, t);
    slope = -at.output_nu + 2 * y * at.output_c - at.spread_c;
    return y * at.output - at.spread;
  };
  double slope = 0;
  if (loss == Loss::hinge) {
    if (margin(0, slope) >= 1) return {0, 0};
    if (margin(1, slope) <= 1) return {-y, 1};
  }
  const double c = losses::increasing_root(0, 1, 0.5, [&](double x, double& root_slope) {
    const double m = margin(x, root_slope);
    if (loss == Loss::hinge) return m - 1;
    const double s = 1 / (1 + std::exp(m));
    root_slope = 1 + s * (1 - s) * root_slope;
    return x - s;
  });
  return {-y * c, c};
}

/// Squared loss ½(|xᵀq − y| + rᵀ|q|)²: c is the worst residual, ν = ±c on either side of the target
/// and between them at it.
template <class Real>
SECONDORDER_HOST_DEVICE Multipliers squared_multipliers(const Sample<Real>& sample, const Real* a,
                                                        double t) {
  const Reflection start = reflect(sample, a, 0, 0, t);
  const double most = std::abs(start.output - sample.y) + start.spread;
  if (most <= 0) return {0, 0};
  for (const double side : {1.0, -1.0}) {
    const double c = losses::increasing_root(0, most, 0.5 * most, [&](double x, double& slope) {
      const Reflection at = reflect(sample, a, side * x, x, t);
      slope = 1 - at.output_nu - 2 * side * at.output_c - at.spread_c;
      return x - side * (at.output - sample.y) - at.spread;
    });
    if (side * (reflect(sample, a, side * c, c, t).output - sample.y) >= 0) return {side * c, c};
  }
  const auto nu_at = [&](double c) {  // holds the output at the target
    return losses::increasing_root(-c, c, 0, [&](double nu, double& slope) {
      const Reflection at = reflect(sample, a, nu, c, t);
      slope = -at.output_nu;
      return sample.y - at.output;
    });
  };
  double low = 0, high = most;
  for (int step = 0; step < 100 && high - low > 1e-15 * most; ++step) {
    const double c = 0.5 * (low + high);
    const Reflection at = reflect(sample, a, nu_at(c), c, t);
    (c < std::abs(at.output - sample.y) + at.spread ? low : high) = c;
  }
  return {nu_at(high), high};
}

/// z = argmin φ(z) + t/2‖z − a‖²; gives its multipliers.
template <class Real>
SECONDORDER_HOST_DEVICE Multipliers loss_prox(Loss loss, const Sample<Real>& sample, const Real* a,
                                              double t, Real* z) {
  const Multipliers m = loss == Loss::squared ? squared_multipliers(sample, a, t)
                                              : margin_multipliers(loss, sample, a, t);
  for (std::size_t j = 0; j < sample.features; ++j) {
    z[j] = static_cast<Real>(soft(a[j] - m.nu / t * sample.x[j], m.c / t * sample.radius[j]));
  }
  return m;
}

/// The point (e, s) of the cone sₖ ≥ rᵀ|e| nearest to (e₀, s₀) in ‖s − s₀‖² + ‖e − e₀‖²/ratio. Its
/// multipliers are sₖ − s₀ₖ. `e` may be `e0`, and `s` may be `s0`.
template <class Real>
SECONDORDER_HOST_DEVICE void cone_prox(const Real* e0, std::size_t features, const Real* s0,
                                       std::size_t samples, const Real* radius, double ratio,
                                       Real* e, Real* s) {
  struct Height {
    double value = 0, slope = 0;
  };
  const auto height = [&](double theta) {  // rᵀ|e| at the multiplier θ = Σₖ sₖ − s₀ₖ
    Height at;
    for (std::size_t j = 0; j < features; ++j) {
      const double r = radius[j], size = std::abs(static_cast<double>(e0[j])) - ratio * theta * r;
      if (size <= 0) continue;
      at.value += r * size;
      at.slope -= ratio * r * r;
    }
    return at;
  };
  struct Lift {
    double sum = 0, count = 0;
  };
  const auto lift = [&](double level) {
    Lift all;
    for (std::size_t k = 0; k < samples; ++k) {
      const double missing = level - static_cast<double>(s0[k]);
      all.sum += missing > 0 ? missing : 0;
      all.count += missing > 0 ? 1 : 0;
    }
    return all;
  };
  const double most = lift(height(0).value).sum;
  double theta = 0;
  if (most > 0) {
    theta = losses::increasing_root(0, most, 0, [&](double x, double& slope) {
      const Height at = height(x);
      const Lift missing = lift(at.value);
      slope = 1 - missing.count * at.slope;
      return x - missing.sum;
    });
  }
  const double level = height(theta).value;
  for (std::size_t k = 0; k < samples; ++k) {
    s[k] = static_cast<double>(s0[k]) < level ? static_cast<Real>(level) : s0[k];
  }
  for (std::size_t j = 0; j < features; ++j) {
    e[j] = static_cast<Real>(soft(e0[j], ratio * theta * radius[j]));
  }
}

}  // namespace secondorder::robust
