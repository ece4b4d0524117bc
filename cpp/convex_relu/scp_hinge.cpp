#include "convex_relu/scp_hinge.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/error.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr std::size_t most_iterations = 100;

/// Share of the way to the nearest bound that a step may go.
constexpr double boundary_share = 0.995;

/// What making weights zero may cost, in tolerances: the bound on it is a rough one.
constexpr double allowance = 10;

/// Of the solutions of the reduced systems.
constexpr std::size_t refinements = 2;

/// Iterations without a smaller gap after which there is none to be had.
constexpr std::size_t patience = 6;

/// Added to the unit diagonal of a system, more of it where that is not enough.
constexpr double ridges[] = {1e-14, 1e-12, 1e-10, 1e-8, 1e-6};

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
    : columns_(columns), y_(y), w_(y.size(), 1.0), beta_(beta), host_(host), gram_(columns) {
  if (!weights.empty()) w_.assign(weights.begin(), weights.end());
}

template <class Real>
std::vector<double> ScpHinge<Real>::times(std::span<const double> x) const {
  std::vector<double> product(y_.size());
  columns_.combine(working_, {x.data(), x.size(), 1}, host_, {product.data(), 1, y_.size()});
  for (std::size_t k = 0; k < product.size(); ++k) product[k] *= y_[k];
  return product;
}

template <class Real>
std::vector<double> ScpHinge<Real>::transposed_times(std::span<const double> t) const {
  std::vector<double> signed_t(t.size()), all(columns_.count()), product(working_.size());
  for (std::size_t k = 0; k < t.size(); ++k) signed_t[k] = y_[k] * t[k];
  columns_.correlate(working_, {signed_t.data(), 1, t.size()}, host_, {all.data(), all.size(), 1});
  for (std::size_t j = 0; j < product.size(); ++j) product[j] = all[working_[j]];
  return product;
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
  for (std::size_t j = 0; j < working_.size(); ++j) {
    point.p.z[j] = std::max(beta_ - point.bt[j], 0.1 * beta_);
    point.m.z[j] = std::max(beta_ + point.bt[j], 0.1 * beta_);
    point.p.v[j] = 0.5 * mean / point.p.z[j];
    point.m.v[j] = 0.5 * mean / point.m.z[j];
  }
}

template <class Real>
void ScpHinge<Real>::evaluate(Point& point) {
  std::vector<double> x(working_.size());
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = point.p.v[j] - point.m.v[j];
  const std::vector<double> margins = times(x);
  for (std::size_t k = 0; k < margins.size(); ++k) {
    point.residual[k] = 1 - margins[k] - point.s.v[k] + point.r.v[k];
  }
  point.bt = transposed_times(point.t);
}

/// Of the program's objective at p − m and of 1ᵀτt, τt being feasible.
template <class Real>
double ScpHinge<Real>::gap(const Point& point) const {
  double objective = 0, bound = 0, largest = 0;
  for (std::size_t j = 0; j < working_.size(); ++j) {
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

/// D = p/z_p + m/z_m, E = s/z_s + r/z_r, and the Cholesky factor of D⁻¹ + BᵀE⁻¹B scaled to a unit
/// diagonal.
template <class Real>
void ScpHinge<Real>::factor(const Point& point) {
  const std::size_t count = working_.size();
  d_inverse_.resize(count);
  e_inverse_.resize(w_.size());
  for (std::size_t j = 0; j < count; ++j) {
    d_inverse_[j] = 1 / (point.p.v[j] / point.p.z[j] + point.m.v[j] / point.m.z[j]);
  }
  for (std::size_t k = 0; k < w_.size(); ++k) {
    e_inverse_[k] = 1 / (point.s.v[k] / point.s.z[k] + point.r.v[k] / point.r.z[k]);
  }
  gram_.form(working_, 0, e_inverse_, host_);
  scale_.resize(count);
  for (std::size_t j = 0; j < count; ++j)
    scale_[j] = 1 / std::sqrt(gram_.row(j)[j] + d_inverse_[j]);
  factor_.resize(count * count);
  const View<double> matrix(factor_.data(), count, count);
  for (const double ridge : ridges) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        matrix.row(i)[j] = scale_[i] * scale_[j] * gram_.row(i)[j];
      }
      matrix.row(i)[i] = 1 + ridge;
    }
    if (host_.cholesky(matrix)) return;
  }
  throw Error(ErrorCode::numerical,
              "the hinge program left the range of double; scale the data, or take a larger beta");
}

/// (B·D·Bᵀ + E)·dt = h: u = D·Bᵀdt solves (D⁻¹ + BᵀE⁻¹B)·u = BᵀE⁻¹h, and dt = E⁻¹(h − B·u), where
/// digits are lost as E tends to 0; refined on the residual. Returns Bᵀdt.
template <class Real>
std::vector<double> ScpHinge<Real>::solve_reduced(const std::vector<double>& h,
                                                  std::vector<double>& dt) {
  const std::size_t count = working_.size(), n = w_.size();
  std::vector<double> residual = h, scaled(n), bdt(count);
  std::fill(dt.begin(), dt.end(), 0.0);
  for (std::size_t refinement = 0; refinement <= refinements; ++refinement) {
    for (std::size_t k = 0; k < n; ++k) scaled[k] = e_inverse_[k] * residual[k];
    std::vector<double> u = transposed_times(scaled);
    for (std::size_t j = 0; j < count; ++j) u[j] *= scale_[j];
    host_.cholesky_solve({factor_.data(), count, count}, {u.data(), count, 1});
    for (std::size_t j = 0; j < count; ++j) u[j] *= scale_[j];
    const std::vector<double> bu = times(u);
    for (std::size_t k = 0; k < n; ++k) dt[k] += e_inverse_[k] * (residual[k] - bu[k]);
    bdt = transposed_times(dt);
    for (std::size_t j = 0; j < count; ++j) u[j] = bdt[j] / d_inverse_[j];
    const std::vector<double> covered = times(u);
    for (std::size_t k = 0; k < n; ++k) residual[k] = h[k] - covered[k] - dt[k] / e_inverse_[k];
  }
  return bdt;
}

/// The step to products v·z of `target`, from (B·D·Bᵀ + E)·dt = h; a corrector takes the products
/// of the step before into account.
template <class Real>
void ScpHinge<Real>::newton(Point& point, double target, bool corrector) {
  const std::size_t count = working_.size(), n = w_.size();
  // z·dv + v·dz = c
  const auto wanted = [&](const Pair& pair, std::size_t i) {
    return target - pair.v[i] * pair.z[i] - (corrector ? pair.dv[i] * pair.dz[i] : 0);
  };
  // What a dual equation lacks: the part of dz that is not due to dt.
  const auto lack_p = [&](std::size_t j) { return beta_ - point.bt[j] - point.p.z[j]; };
  const auto lack_m = [&](std::size_t j) { return beta_ + point.bt[j] - point.m.z[j]; };
  const auto lack_s = [&](std::size_t k) { return w_[k] - point.t[k] - point.s.z[k]; };
  const auto lack_r = [&](std::size_t k) { return point.t[k] - point.r.z[k]; };
  // dv at dt = 0
  const auto still = [&](const Pair& pair, std::size_t i, double lack) {
    return (wanted(pair, i) - pair.v[i] * lack) / pair.z[i];
  };
  Pair p(count), m(count), s(n), r(n);
  std::vector<double> x(count);
  for (std::size_t j = 0; j < count; ++j) {
    p.dv[j] = still(point.p, j, lack_p(j));
    m.dv[j] = still(point.m, j, lack_m(j));
    x[j] = p.dv[j] - m.dv[j];
  }
  std::vector<double> h = times(x);
  for (std::size_t k = 0; k < n; ++k) {
    s.dv[k] = still(point.s, k, lack_s(k));
    r.dv[k] = still(point.r, k, lack_r(k));
    h[k] = point.residual[k] - h[k] - s.dv[k] + r.dv[k];
  }
  const std::vector<double> bdt = solve_reduced(h, point.dt);
  for (std::size_t k = 0; k < n; ++k) {
    const double dt = point.dt[k];
    s.dz[k] = lack_s(k) - dt;
    r.dz[k] = lack_r(k) + dt;
    s.dv[k] += point.s.v[k] * dt / point.s.z[k];
    r.dv[k] -= point.r.v[k] * dt / point.r.z[k];
  }
  for (std::size_t j = 0; j < count; ++j) {
    p.dz[j] = lack_p(j) - bdt[j];
    m.dz[j] = lack_m(j) + bdt[j];
    p.dv[j] += point.p.v[j] * bdt[j] / point.p.z[j];
    m.dv[j] -= point.m.v[j] * bdt[j] / point.m.z[j];
  }
  const auto take = [](Pair& to, Pair& from) {
    to.dv = std::move(from.dv);
    to.dz = std::move(from.dz);
  };
  take(point.p, p);
  take(point.m, m);
  take(point.s, s);
  take(point.r, r);
}

template <class Real>
std::size_t ScpHinge<Real>::solve(std::span<const std::size_t> working, double tolerance,
                                  const RunControl& control, std::vector<double>& x,
                                  std::span<double> nu) {
  working_.assign(working.begin(), working.end());
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
  std::vector<double> slopes(columns_.count());
  columns_.correlate(working_, {w_.data(), 1, w_.size()}, host_, {slopes.data(), slopes.size(), 1});
  slopes_.clear();
  for (const std::size_t j : working_) slopes_.push_back(slopes[j]);
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
  const std::size_t count = working_.size();
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
