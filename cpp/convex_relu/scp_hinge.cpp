#include "convex_relu/scp_hinge.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

namespace secondorder::convex_relu {

namespace {

constexpr std::size_t most_iterations = 100;

/// Share of the way to the nearest bound that a step may go.
constexpr double boundary_share = 0.995;

/// What making weights zero may cost, in tolerances: the bound on it is a rough one.
constexpr double allowance = 10;

/// Iterations without a smaller gap after which there is none to be had.
constexpr std::size_t patience = 6;

/// The longest step in [0, 1] that keeps v + step·dv positive.
double longest_step(const std::vector<double>& v, const std::vector<double>& dv) {
  double step = 1 / boundary_share;
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (dv[i] < 0) step = std::min(step, -v[i] / dv[i]);
  }
  return std::min(1.0, boundary_share * step);
}

void move(std::vector<double>& v, const std::vector<double>& dv, double step) {
  for (std::size_t i = 0; i < v.size(); ++i) v[i] += step * dv[i];
}

}  // namespace

template <class Real>
ScpHinge<Real>::ScpHinge(const ScpColumns<Real>& columns, std::span<const double> y,
                         std::span<const double> weights, double beta, HostAlgebra& host)
    : y_(y), w_(y.size(), 1.0), beta_(beta), system_(columns, y, host) {
  if (!weights.empty()) w_.assign(weights.begin(), weights.end());
}

/// t in the middle of its bounds, margins off by about 1, and products v·z that are all alike.
template <class Real>
void ScpHinge<Real>::start(Point& point) {
  double mean = 0;
  for (const double w : w_) mean += w / static_cast<double>(w_.size());
  for (std::size_t k = 0; k < w_.size(); ++k) {
    point.t[k] = point.s.z[k] = point.r.z[k] = 0.5 * w_[k];
    point.s.v[k] = point.r.v[k] = mean / w_[k];
  }
  evaluate(point);
  for (std::size_t j = 0; j < system_.columns(); ++j) {
    point.p.z[j] = std::max(beta_ - point.bt[j], 0.1 * beta_);
    point.m.z[j] = std::max(beta_ + point.bt[j], 0.1 * beta_);
    point.p.v[j] = 0.5 * mean / point.p.z[j];
    point.m.v[j] = 0.5 * mean / point.m.z[j];
  }
}

template <class Real>
void ScpHinge<Real>::evaluate(Point& point) {
  for (std::size_t j = 0; j < point.x.size(); ++j) point.x[j] = point.p.v[j] - point.m.v[j];
  system_.times(point.x, point.residual);
  for (std::size_t k = 0; k < w_.size(); ++k) {
    point.residual[k] = 1 - point.residual[k] - point.s.v[k] + point.r.v[k];
  }
  system_.transposed_times(point.t, point.bt);
}

/// Of the program's objective at p − m and of 1ᵀτt, τt being feasible.
template <class Real>
double ScpHinge<Real>::gap(const Point& point) const {
  double objective = 0, bound = 0, largest = 0;
  for (std::size_t j = 0; j < system_.columns(); ++j) {
    objective += beta_ * std::abs(point.p.v[j] - point.m.v[j]);
    largest = std::max(largest, std::abs(point.bt[j]));
  }
  for (std::size_t k = 0; k < w_.size(); ++k) {
    const double margin = 1 - point.residual[k] - point.s.v[k] + point.r.v[k];
    objective += w_[k] * std::max(0.0, 1 - margin);
    bound += point.t[k];
  }
  if (largest > beta_) bound *= beta_ / largest;
  return objective > 0 ? (objective - bound) / objective : 0;
}

/// D = p/z_p + m/z_m and E = s/z_s + r/z_r.
template <class Real>
void ScpHinge<Real>::factor(const Point& point) {
  d_inverse_.resize(system_.columns());
  e_inverse_.resize(w_.size());
  for (std::size_t j = 0; j < d_inverse_.size(); ++j) {
    d_inverse_[j] = 1 / (point.p.v[j] / point.p.z[j] + point.m.v[j] / point.m.z[j]);
  }
  for (std::size_t k = 0; k < w_.size(); ++k) {
    e_inverse_[k] = 1 / (point.s.v[k] / point.s.z[k] + point.r.v[k] / point.r.z[k]);
  }
  system_.factor(d_inverse_, e_inverse_);
}

/// The step to products v·z of `target`, from (B·D·Bᵀ + E)·dt = h; a corrector takes the products
/// of the step before into account.
template <class Real>
void ScpHinge<Real>::newton(Point& point, double target, bool corrector) {
  auto& [p, m, s, r, t, dt, residual, bt, x, h, bdt] = point;
  const std::size_t count = p.v.size(), n = w_.size();
  // Sets dz to what a dual equation lacks, the part of it that is not due to dt, and dv to what
  // z·dv + v·dz = target − v·z then gives.
  const auto begin = [&](Pair& pair, std::size_t i, double lack) {
    const double before = corrector ? pair.dv[i] * pair.dz[i] : 0;
    const double wanted = target - pair.v[i] * pair.z[i] - before;
    pair.dz[i] = lack;
    pair.dv[i] = (wanted - pair.v[i] * lack) / pair.z[i];
  };
  const auto move_dual = [](Pair& pair, std::size_t i, double by) {
    pair.dz[i] += by;
    pair.dv[i] -= pair.v[i] * by / pair.z[i];
  };
  for (std::size_t j = 0; j < count; ++j) {
    begin(p, j, beta_ - bt[j] - p.z[j]);
    begin(m, j, beta_ + bt[j] - m.z[j]);
    x[j] = p.dv[j] - m.dv[j];
  }
  system_.times(x, h);
  for (std::size_t k = 0; k < n; ++k) {
    begin(s, k, w_[k] - t[k] - s.z[k]);
    begin(r, k, t[k] - r.z[k]);
    h[k] = residual[k] - h[k] - s.dv[k] + r.dv[k];
  }
  system_.solve(h, dt, bdt);
  for (std::size_t k = 0; k < n; ++k) {
    move_dual(s, k, -dt[k]);
    move_dual(r, k, dt[k]);
  }
  for (std::size_t j = 0; j < count; ++j) {
    move_dual(p, j, -bdt[j]);
    move_dual(m, j, bdt[j]);
  }
}

template <class Real>
std::size_t ScpHinge<Real>::solve(std::span<const std::size_t> working, double tolerance,
                                  const RunControl& control, std::vector<double>& x,
                                  std::span<double> nu) {
  system_.choose(working);
  Point point(working.size(), w_.size());
  start(point);
  const std::array<Pair*, 4> pairs{&point.p, &point.m, &point.s, &point.r};
  const auto mean_product = [&](double primal, double dual) {
    double sum = 0, entries = 0;
    for (const Pair* pair : pairs) {
      for (std::size_t i = 0; i < pair->v.size(); ++i) {
        sum += (pair->v[i] + primal * pair->dv[i]) * (pair->z[i] + dual * pair->dz[i]);
      }
      entries += static_cast<double>(pair->v.size());
    }
    return sum / entries;
  };
  const auto steps = [&] {
    double primal = 1, dual = 1;
    for (const Pair* pair : pairs) {
      primal = std::min(primal, longest_step(pair->v, pair->dv));
      dual = std::min(dual, longest_step(pair->z, pair->dz));
    }
    return std::pair{primal, dual};
  };
  std::size_t iterations = 0;
  std::vector<double> signed_w(w_.size());
  for (std::size_t k = 0; k < w_.size(); ++k) signed_w[k] = y_[k] * w_[k];
  slopes_.resize(working.size());
  system_.transposed_times(signed_w, slopes_);
  double least = std::numeric_limits<double>::infinity(), least_mu = least;
  std::size_t best = 0;
  while (iterations < most_iterations) {
    evaluate(point);
    const double now = gap(point);
    const double mu = mean_product(0, 0);
    if (now < 0.9 * least || mu < 0.9 * least_mu) best = iterations;
    least_mu = std::min(least_mu, mu);
    if (now < least) {
      least = now;
      x = weights(point,
                  allowance * tolerance * std::accumulate(point.t.begin(), point.t.end(), 0.0));
      for (std::size_t k = 0; k < w_.size(); ++k) {
        nu[k] = -y_[k] * std::clamp(point.t[k], 0.0, w_[k]);
      }
    }
    if (now <= tolerance || iterations > best + patience || control.stop_requested()) break;
    ++iterations;
    factor(point);
    newton(point, 0, false);
    auto [primal, dual] = steps();
    const double share = std::pow(mean_product(primal, dual) / mu, 3);
    newton(point, share * mu, true);
    std::tie(primal, dual) = steps();
    for (Pair* pair : pairs) {
      move(pair->v, pair->dv, primal);
      move(pair->z, pair->dz, dual);
    }
    move(point.t, point.dt, dual);
  }
  return iterations;
}

/// An interior point has no zeros. Weights are made so, from the least on, where they are small
/// beside their duals, each as a share of what is usual for it, and while the loss rises by no more
/// than is `allowed`: without xⱼ it is at most |xⱼ|·Σ wₖaⱼₖ higher.
template <class Real>
std::vector<double> ScpHinge<Real>::weights(const Point& point, double allowed) const {
  const std::size_t count = system_.columns();
  std::vector<double> x(count), costs(count);
  std::vector<std::size_t> small;
  double usual = 0;
  for (std::size_t j = 0; j < count; ++j) {
    x[j] = point.p.v[j] - point.m.v[j];
    costs[j] = std::abs(x[j]) * slopes_[j];
    usual += std::abs(x[j]) / static_cast<double>(count);
  }
  for (std::size_t j = 0; j < count; ++j) {
    if (std::abs(x[j]) * beta_ < usual * std::min(point.p.z[j], point.m.z[j])) small.push_back(j);
  }
  std::sort(small.begin(), small.end(), [&](std::size_t a, std::size_t b) {
    return costs[a] < costs[b] || (costs[a] == costs[b] && a < b);
  });
  for (const std::size_t j : small) {
    allowed -= costs[j];
    if (allowed < 0) break;
    x[j] = 0;
  }
  return x;
}

template class ScpHinge<float>;
template class ScpHinge<double>;

}  // namespace secondorder::convex_relu
