#include "convex_relu/price_relaxation.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "convex_relu/symmetric_eigen.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// uᵀQu + bᵀu + constant, a majorant of the price.
struct Majorant {
  std::vector<double> q, b;  ///< r × r, r
  double constant = 0;
  double mass = 0;  ///< Σ |coefficients| of the xxᵀ in Q

  Majorant(const UnitSamples& s, std::span<const double> weights, const PriceMultipliers& m,
           HostAlgebra& host)
      : q(s.rank * s.rank), b(s.rank) {
    const std::size_t n = s.rows(), r = s.rank;
    std::vector<double> scaled(s.x);
    for (std::size_t k = 0; k < n; ++k) {
      const double weight = weights[k];
      double square = 0, slope = 0;
      if (weight > 0) {
        square = weight * m.curvature[k] / 4;
        slope = weight / 2;
        constant += weight / (4 * m.curvature[k]);
      } else {
        square = weight * m.parabola[k] / 2;
        slope = weight * (m.line[k] + m.parabola[k] / 2);
      }
      mass += std::abs(square);
      for (std::size_t j = 0; j < r; ++j) {
        b[j] += slope * s.row(k)[j];
        scaled[k * r + j] *= square;
      }
    }
    host.multiply(1, {s.x.data(), n, r}, Transpose::yes, {scaled.data(), n, r}, Transpose::no, 0,
                  {q.data(), r, r});
  }
};

/// min over μ of μ + ¼bᵀ(μI − Q)⁻¹b with μ ≥ 0, μI ⪰ Q, as floating point finds it, and the
/// matching second moments uuᵀ + spare·vvᵀ of the relaxed neuron.
struct TrustRegion {
  double value = 0, mu = 0, spare = 0;
  std::vector<double> u, v;

  TrustRegion(const Majorant& m, HostAlgebra& host) {
    const std::size_t r = m.b.size();
    std::vector<double> vectors(m.q);
    const std::vector<double> values = symmetric_eigen({vectors.data(), r, r}, host);
    std::vector<double> slopes(r);
    for (std::size_t i = 0; i < r; ++i) {
      for (std::size_t j = 0; j < r; ++j) slopes[i] += vectors[i * r + j] * m.b[j];
    }
    const double least = std::max(values.back(), 0.0);
    const auto excess = [&](double at) {  // ‖u‖² − 1 at μ
      double squares = 0;
      for (std::size_t i = 0; i < r; ++i)
        squares += std::pow(0.5 * slopes[i] / (at - values[i]), 2);
      return squares - 1;
    };
    double low = least + 1e-12 * (1 + least);
    double high = low + 0.5 * std::sqrt(dot(m.b, m.b)) + 1e-12;
    if (excess(low) < 0) {
      high = low;  // the hard case
    } else {
      for (int step = 0; step < 60; ++step) {
        const double middle = 0.5 * (low + high);
        (excess(middle) > 0 ? low : high) = middle;
      }
    }
    mu = high;
    value = m.constant + mu;
    u.assign(r, 0);
    for (std::size_t i = 0; i < r; ++i) {
      const double share = 0.5 * slopes[i] / (mu - values[i]);
      value += 0.5 * slopes[i] * share;
      for (std::size_t j = 0; j < r; ++j) u[j] += share * vectors[i * r + j];
    }
    v.assign(vectors.end() - static_cast<std::ptrdiff_t>(r), vectors.end());
    if (values.back() > 0) spare = std::max(1 - dot(u, u), 0.0);
  }
};

/// The multipliers as unconstrained numbers: log l, and logits of w₁, w₂ against 1 − w₁ − w₂.
class Descent {
 public:
  Descent(const UnitSamples& samples, std::span<const double> weights, HostAlgebra& host)
      : s_(samples), weights_(weights), host_(host) {
    for (const double weight : weights) {
      if (weight > 0) {
        x_.push_back(0.5 * std::log(static_cast<double>(s_.rank)));
      } else {
        x_.insert(x_.end(), {0, 0});
      }
    }
    gradient_.resize(x_.size());
    value_ = evaluate(x_, gradient_);
  }

  /// One step of L-BFGS (Nocedal and Wright, algorithm 7.4) with backtracking; false at the end.
  bool step() {
    std::vector<double> direction = quasi_newton();
    double slope = dot(direction, gradient_);
    if (!(slope < 0)) {
      pairs_.clear();
      direction = quasi_newton();
      slope = dot(direction, gradient_);
    }
    double longest = 0;
    for (const double entry : direction) longest = std::max(longest, std::abs(entry));
    std::vector<double> x(x_.size()), gradient(x_.size());
    double length = longest > 0 ? std::min(1.0, 2 / longest) : 0;
    for (int halving = 0; halving < 12 && length > 0; ++halving, length *= 0.4) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = x_[i] + length * direction[i];
      const double value = evaluate(x, gradient);
      if (!(value <= value_ + 1e-4 * length * slope)) continue;
      remember(x, gradient);
      const double gain = value_ - value;
      x_ = x;
      gradient_ = gradient;
      value_ = value;
      return gain > 1e-7 * std::abs(value_);
    }
    const bool steepest = pairs_.empty();
    pairs_.clear();  // the function is not smooth where the largest eigenvalue of Q is multiple
    return !steepest;
  }

  PriceMultipliers multipliers() const { return multipliers(x_); }

 private:
  struct Pair {
    std::vector<double> s, y;
    double inverse;
  };

  PriceMultipliers multipliers(const std::vector<double>& x) const {
    PriceMultipliers m;
    const std::size_t n = weights_.size();
    m.curvature.resize(n);
    m.line.resize(n);
    m.parabola.resize(n);
    std::size_t at = 0;
    for (std::size_t k = 0; k < n; ++k) {
      if (weights_[k] > 0) {
        m.curvature[k] = std::exp(std::clamp(x[at++], -12.0, 12.0));
      } else {
        const double line = x[at++], parabola = x[at++];
        const double top = std::max({line, parabola, 0.0});
        const double total = std::exp(line - top) + std::exp(parabola - top) + std::exp(-top);
        m.line[k] = std::exp(line - top) / total;
        m.parabola[k] = std::exp(parabola - top) / total;
      }
    }
    return m;
  }

  /// The bound and its gradient, by the envelope theorem at the relaxed neuron.
  double evaluate(const std::vector<double>& x, std::vector<double>& gradient) const {
    const PriceMultipliers m = multipliers(x);
    const TrustRegion region(Majorant(s_, weights_, m, host_), host_);
    std::size_t at = 0;
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      double t = 0, across = 0;
      for (std::size_t j = 0; j < s_.rank; ++j) {
        t += s_.row(k)[j] * region.u[j];
        across += s_.row(k)[j] * region.v[j];
      }
      const double square = t * t + region.spare * across * across;
      const double weight = weights_[k];
      if (weight > 0) {
        const double l = m.curvature[k];
        gradient[at++] = weight * (l * square / 4 - 1 / (4 * l));
      } else {
        const double line = weight * t, parabola = weight * (t + square) / 2;
        const double mean = m.line[k] * line + m.parabola[k] * parabola;
        gradient[at++] = m.line[k] * (line - mean);
        gradient[at++] = m.parabola[k] * (parabola - mean);
      }
    }
    return region.value;
  }

  std::vector<double> quasi_newton() const {
    std::vector<double> direction(gradient_);
    std::vector<double> shares;
    const auto add = [&](const std::vector<double>& to, double factor) {
      for (std::size_t i = 0; i < direction.size(); ++i) direction[i] += factor * to[i];
    };
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
      shares.push_back(pair->inverse * dot(pair->s, direction));
      add(pair->y, -shares.back());
    }
    const double scale = pairs_.empty()
                             ? 1 / std::sqrt(std::max(dot(gradient_, gradient_), 1e-300))
                             : 1 / (pairs_.back().inverse * dot(pairs_.back().y, pairs_.back().y));
    for (double& entry : direction) entry *= scale;
    for (const Pair& pair : pairs_) {
      add(pair.s, shares.back() - pair.inverse * dot(pair.y, direction));
      shares.pop_back();
    }
    for (double& entry : direction) entry = -entry;
    return direction;
  }

  void remember(const std::vector<double>& x, const std::vector<double>& gradient) {
    Pair pair{x, gradient, 0};
    for (std::size_t i = 0; i < x.size(); ++i) {
      pair.s[i] -= x_[i];
      pair.y[i] -= gradient_[i];
    }
    const double product = dot(pair.s, pair.y);
    if (!(product > 1e-12 * std::sqrt(dot(pair.s, pair.s) * dot(pair.y, pair.y)))) return;
    pair.inverse = 1 / product;
    pairs_.push_back(std::move(pair));
    if (pairs_.size() > 12) pairs_.pop_front();
  }

  const UnitSamples& s_;
  std::span<const double> weights_;
  HostAlgebra& host_;
  std::vector<double> x_, gradient_;
  double value_ = 0;
  std::deque<Pair> pairs_;
};

}  // namespace

double price_bound(const UnitSamples& samples, std::span<const double> weights,
                   const PriceMultipliers& multipliers, HostAlgebra& host) {
  const std::size_t r = samples.rank;
  const auto n = static_cast<double>(samples.rows()), order = static_cast<double>(r);
  const Majorant m(samples, weights, multipliers, host);
  double mu = TrustRegion(m, host).mu;
  for (int attempt = 0; attempt < 8; ++attempt) {
    const double shift = 8 * (n + order + 8) * epsilon * (m.mass + order * mu);
    std::vector<double> a(r * r), l(r * r), y(m.b);
    for (std::size_t i = 0; i < r; ++i) {
      for (std::size_t j = 0; j < r; ++j) a[i * r + j] = (i == j ? mu : 0) - m.q[i * r + j];
    }
    l = a;
    for (std::size_t i = 0; i < r; ++i) l[i * r + i] -= shift;
    if (host.cholesky({l.data(), r, r})) {
      host.cholesky_solve({l.data(), r, r}, {y.data(), r, 1});
      double form = 0;
      std::vector<double> residual(m.b);
      for (std::size_t i = 0; i < r; ++i) {
        double product = 0;
        for (std::size_t j = 0; j < r; ++j) product += a[i * r + j] * 0.5 * y[j];
        residual[i] -= 2 * product;
        form += 0.5 * y[i] * product;
      }
      const double squares = 0.25 * dot(y, y), slope = std::sqrt(dot(m.b, m.b));
      const double rounding = 16 * (n + order * order + 8) * epsilon *
                              ((m.mass + order * mu) * (1 + squares) +
                               slope * (1 + std::sqrt(squares)) + m.constant + 1);
      const double bound = m.constant + mu + form + std::sqrt(dot(residual, residual)) + rounding;
      if (bound < 1) return bound;
      break;
    }
    mu += std::max(1e-12, 4 * shift) * std::pow(10, attempt);
  }
  return 1 + 4 * n * epsilon;  // Σ|ω|, which all prices obey
}

double relaxed_price(const UnitSamples& samples, std::size_t steps, HostAlgebra& host,
                     const RunControl* control) {
  if (samples.rows() == 0) return samples.scale;
  double squares = 0;
  std::vector<double> weights(samples.rows());
  for (std::size_t o = 0; o < samples.outputs; ++o) {
    double most = 0;
    for (const double sign : {1.0, -1.0}) {
      for (std::size_t k = 0; k < weights.size(); ++k) {
        weights[k] = sign * samples.weights_of(k)[o];
      }
      Descent descent(samples, weights, host);
      for (std::size_t step = 0; step < steps; ++step) {
        if (control != nullptr && control->out_of_time()) break;
        if (!descent.step()) break;
      }
      most = std::max(most, price_bound(samples, weights, descent.multipliers(), host));
    }
    squares += most * most;
  }
  return std::sqrt(squares) * samples.scale * (1 + 8 * epsilon);
}

}  // namespace secondorder::convex_relu
