#include "newton/linear/minres.hpp"

#include <algorithm>
#include <cmath>

#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// A new start that doesn't halve the residual is the last one.
constexpr double worth_restarting = 0.5;
constexpr double negligible = 1e-14;

}  // namespace

SolveOutcome Minres::solve(Product multiply, Preconditioner* preconditioner,
                           std::span<const double> b, double accuracy, std::size_t max_steps,
                           std::span<double> x) {
  for (auto* vector :
       {&r_, &lanczos_old_, &lanczos_, &image_, &v_, &w_, &w_old_, &w_older_, &start_}) {
    vector->resize(b.size());
  }
  const double size = norm2(b);
  if (size == 0) {
    std::fill(x.begin(), x.end(), 0.0);
    return {true, 0, 0};
  }
  const auto recompute = [&] {
    multiply(x, r_);
    for (std::size_t i = 0; i < b.size(); ++i) r_[i] = b[i] - r_[i];
    return norm2(r_);
  };
  double residual = recompute();
  if (!std::isfinite(residual)) {  // a useless start
    std::fill(x.begin(), x.end(), 0.0);
    residual = recompute();
    if (!std::isfinite(residual)) return {false, residual, 0};  // nothing to start from
  }
  const double target = accuracy * size;
  std::size_t left = max_steps;
  while (residual > target && left > 0) {
    std::copy(x.begin(), x.end(), start_.begin());
    const double before = residual;
    run(multiply, preconditioner, target, left, x);
    residual = recompute();
    if (!(residual < before)) {
      std::copy(start_.begin(), start_.end(), x.begin());
      residual = before;
    }
    if (!(residual <= worth_restarting * before)) break;
  }
  return {residual <= target, residual / size, max_steps - left};
}

void Minres::precondition(Preconditioner* preconditioner, std::span<const double> r,
                          std::span<double> out) {
  if (preconditioner == nullptr) {
    std::copy(r.begin(), r.end(), out.begin());
  } else {
    preconditioner->apply(r, out);
  }
}

/// In the paper's notation: v_ is z = M⁻¹v before it is scaled, lanczos_ is β·v of the newest
/// Lanczos vector, (c, s) the newest rotation, φ̄ the residual's norm in M⁻¹.
bool Minres::run(Product multiply, Preconditioner* preconditioner, double target,
                 std::size_t& steps_left, std::span<double> x) {
  const std::size_t d = x.size();
  std::copy(r_.begin(), r_.end(), lanczos_.begin());
  std::fill(w_.begin(), w_.end(), 0.0);
  std::fill(w_old_.begin(), w_old_.end(), 0.0);
  precondition(preconditioner, lanczos_, v_);
  double beta = std::sqrt(dot(lanczos_, v_)), beta_old = 0;
  if (!(beta > 0) || !std::isfinite(beta)) return false;
  double phi_bar = beta, delta_bar = 0, epsilon_next = 0, c = -1, s = 0, scale = 0;
  for (bool first = true; steps_left > 0; first = false) {
    --steps_left;
    pool_.checkpoint();
    // Lanczos: the next vector of the Krylov space
    for (double& value : v_) value /= beta;
    multiply(v_, image_);
    if (!first) add(-beta / beta_old, lanczos_old_, image_);
    const double alpha = dot(v_, image_);
    add(-alpha / beta, lanczos_, image_);
    std::swap(lanczos_old_, lanczos_);
    std::swap(lanczos_, image_);
    std::swap(w_older_, w_old_);
    std::swap(w_old_, w_);
    std::copy(v_.begin(), v_.end(), w_.begin());
    precondition(preconditioner, lanczos_, v_);
    beta_old = beta;
    beta = std::sqrt(std::max(dot(lanczos_, v_), 0.0));
    scale = std::max({scale, std::abs(alpha), beta});
    // the rotations of the tridiagonal matrix's QR factorization
    const double epsilon_old = epsilon_next;
    const double delta = c * delta_bar + s * alpha, gamma_bar = s * delta_bar - c * alpha;
    epsilon_next = s * beta;
    delta_bar = -c * beta;
    const double gamma = newton::length(gamma_bar, beta);
    // x is a least-squares solution of a singular system already: K·r = 0
    if (std::min(gamma, newton::length(gamma_bar, delta_bar)) <= negligible * scale) return false;
    c = gamma_bar / gamma;
    s = beta / gamma;
    const double phi = c * phi_bar;
    phi_bar *= s;
    // x and the residual follow
    const double residual_step = beta > 0 ? phi_bar * c / beta : 0;
    double squares = 0;
    for (std::size_t i = 0; i < d; ++i) {
      w_[i] = (w_[i] - epsilon_old * w_older_[i] - delta * w_old_[i]) / gamma;
      x[i] += phi * w_[i];
      r_[i] = s * s * r_[i] - residual_step * lanczos_[i];
      squares += r_[i] * r_[i];
    }
    if (!std::isfinite(squares)) return false;
    if (std::sqrt(squares) <= target) return true;
    if (beta <= negligible * scale) return false;  // an invariant subspace
  }
  return false;
}

}  // namespace secondorder::newton
