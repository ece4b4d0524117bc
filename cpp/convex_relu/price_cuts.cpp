#include "convex_relu/price_cuts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "convex_relu/dual_bound.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr double relaxation = 1.7;
constexpr int most_iterations = 400;
constexpr int check_every = 20;
/// Neurons whose price is below this part of β are let go, unless they are in use.
constexpr double idle_price = 0.97;

double norm(const double* values, std::size_t count) {
  double squares = 0;
  for (std::size_t i = 0; i < count; ++i) squares += values[i] * values[i];
  return std::sqrt(squares);
}

/// x·max(0, 1 − threshold/‖x‖), by groups of `size`.
void group_threshold(std::vector<double>& x, std::size_t size, double threshold) {
  for (std::size_t first = 0; first < x.size(); first += size) {
    const double length = norm(&x[first], size);
    const double factor = length > threshold ? 1 - threshold / length : 0;
    for (std::size_t o = 0; o < size; ++o) x[first + o] *= factor;
  }
}

}  // namespace

void PriceCuts::add(std::span<const double> direction, std::span<const double> activations) {
  if (norm(activations.data(), activations.size()) == 0) return;
  neurons_.push_back({{direction.begin(), direction.end()},
                      {activations.begin(), activations.end()},
                      std::vector<double>(c_),
                      std::vector<double>(c_)});
}

std::vector<double> PriceCuts::used() const {
  std::vector<double> rows;
  for (const Neuron& neuron : neurons_) {
    if (norm(neuron.a.data(), c_) == 0) continue;
    rows.insert(rows.end(), neuron.direction.begin(), neuron.direction.end());
  }
  return rows;
}

double PriceCuts::loss_of(const std::vector<double>& z) const {
  double sum = 0;
  for (std::size_t k = 0; k < rows(); ++k) {
    sum += weight(k) * losses::value(loss_, &z[k * c_], &targets_[k * c_], c_);
  }
  return sum;
}

void PriceCuts::solve(double accuracy, HostAlgebra& host) {
  const std::size_t n = rows(), m = neurons_.size();
  if (m == 0) return;
  // Columns are scaled to a mean norm of 1, as the solver scales features.
  double scale = 0;
  for (const Neuron& neuron : neurons_) scale += norm(neuron.activations.data(), n);
  scale /= static_cast<double>(m);
  const double beta = beta_ / scale;
  std::vector<double> phi(n * m), gram(m * m), factor(m * m);
  std::vector<double> a(m * c_), g(m * c_), dual(m * c_), right(m * c_);
  for (std::size_t j = 0; j < m; ++j) {
    for (std::size_t k = 0; k < n; ++k) phi[k * m + j] = neurons_[j].activations[k] / scale;
    for (std::size_t o = 0; o < c_; ++o) {
      g[j * c_ + o] = neurons_[j].a[o] * scale;
      dual[j * c_ + o] = neurons_[j].scaled_dual[o];
    }
  }
  z_.resize(n * c_);
  loss_dual_.resize(n * c_);
  nu_.resize(n * c_);
  std::vector<double> p(n * c_), target(n * c_), work(2 * c_), priced(m * c_);
  const View<double> phi_view(phi.data(), n, m), factor_view(factor.data(), m, m);
  host.multiply(1, phi_view, Transpose::yes, phi_view, Transpose::no, 0, {gram.data(), m, m});
  const auto factorize = [&] {
    for (std::size_t i = 0; i < m * m; ++i) factor[i] = tau_ * gram[i];
    for (std::size_t i = 0; i < m; ++i) factor[i * m + i] += rho_;
    return host.cholesky(factor_view);
  };
  bool solvable = factorize();
  for (int iteration = 1; iteration <= most_iterations && solvable; ++iteration) {
    // A = argmin ρ/2‖A − G + U‖² + τ/2‖ΦA − Z + L‖²
    for (std::size_t i = 0; i < n * c_; ++i) target[i] = z_[i] - loss_dual_[i];
    for (std::size_t i = 0; i < m * c_; ++i) right[i] = rho_ * (g[i] - dual[i]);
    host.multiply(tau_, phi_view, Transpose::yes, {target.data(), n, c_}, Transpose::no, 1,
                  {right.data(), m, c_});
    host.cholesky_solve(factor_view, {right.data(), m, c_});
    a = right;
    host.multiply(1, phi_view, Transpose::no, {a.data(), m, c_}, Transpose::no, 0,
                  {p.data(), n, c_});
    // G and Z by their proximal maps, U and L by what is left, with over-relaxation.
    for (std::size_t i = 0; i < m * c_; ++i) {
      dual[i] += relaxation * a[i] + (1 - relaxation) * g[i];
    }
    g = dual;
    group_threshold(g, c_, beta / rho_);
    for (std::size_t i = 0; i < m * c_; ++i) dual[i] -= g[i];
    for (std::size_t k = 0; k < n; ++k) {
      double* q = &loss_dual_[k * c_];
      for (std::size_t o = 0; o < c_; ++o) {
        q[o] += relaxation * p[k * c_ + o] + (1 - relaxation) * z_[k * c_ + o];
      }
      if (weight(k) > 0) {
        losses::prox(loss_, q, &targets_[k * c_], tau_ / weight(k), c_, &z_[k * c_], work.data());
      } else {
        std::copy_n(q, c_, &z_[k * c_]);
      }
      for (std::size_t o = 0; o < c_; ++o) q[o] -= z_[k * c_ + o];
    }
    if (iteration % check_every != 0) continue;
    host.checkpoint();

    for (std::size_t i = 0; i < n * c_; ++i) nu_[i] = tau_ * loss_dual_[i];
    host.multiply(1, phi_view, Transpose::yes, {nu_.data(), n, c_}, Transpose::no, 0,
                  {priced.data(), m, c_});
    double largest = 0, penalty = 0;
    for (std::size_t j = 0; j < m; ++j) {
      largest = std::max(largest, norm(&priced[j * c_], c_));
      penalty += norm(&g[j * c_], c_);
    }
    host.multiply(1, phi_view, Transpose::no, {g.data(), m, c_}, Transpose::no, 0,
                  {target.data(), n, c_});
    objective_ = loss_of(target) + beta * penalty;
    const double bound = scaled_dual(loss_, nu_, targets_, weights_, c_, beta, largest);
    if (objective_ - bound <= accuracy * objective_) break;
    const bool due =
        iteration <= 640 && (iteration / check_every & (iteration / check_every - 1)) == 0;
    if (!due) continue;
    // As the gated model's (balance.hpp): ρ = β over the root mean square of the norms in use,
    // τ = ½‖ν‖/‖z‖.
    double squares = 0, active = 0;
    for (std::size_t j = 0; j < m; ++j) {
      const double length = norm(&g[j * c_], c_);
      squares += length * length;
      active += length > 0 ? 1 : 0;
    }
    const double z_norm = norm(z_.data(), z_.size()), nu_norm = norm(nu_.data(), nu_.size());
    const double rho = squares > 0 ? beta / std::sqrt(squares / active) / rho_ : 1;
    const double tau = z_norm > 0 && nu_norm > 0 ? 0.5 * nu_norm / z_norm / tau_ : 1;
    for (double& value : dual) value /= rho;
    for (double& value : loss_dual_) value /= tau;
    rho_ *= rho;
    tau_ *= tau;
    solvable = factorize();
  }

  std::vector<Neuron> kept;
  for (std::size_t j = 0; j < m; ++j) {
    for (std::size_t o = 0; o < c_; ++o) {
      neurons_[j].a[o] = g[j * c_ + o] / scale;
      neurons_[j].scaled_dual[o] = dual[j * c_ + o];
    }
    const bool idle =
        norm(neurons_[j].a.data(), c_) == 0 && norm(&priced[j * c_], c_) < idle_price * beta;
    if (!idle) kept.push_back(std::move(neurons_[j]));
  }
  neurons_ = std::move(kept);
}

}  // namespace secondorder::convex_relu
