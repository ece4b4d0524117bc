#include "convex_relu/admm.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/dual_bound.hpp"

namespace secondorder::convex_relu {

template <class Real>
Admm<Real>::Admm(Algebra<Real>& algebra, Arena& arena, const Program<Real>& program, Route route,
                 double relaxation, Communicator communicator)
    : algebra_(algebra), program_(program), communicator_(communicator), relaxation_(relaxation) {
  const GatedShape& s = program.shape;
  const auto parameters = [&] { return arena.matrix<Real>(s.parameter_rows(), s.features); };
  const auto one_set = [&] { return arena.matrix<Real>(s.set_rows(), s.features); };
  const auto samples = [&] { return arena.matrix<Real>(s.rows, s.outputs); };
  p_ = parameters();
  v_ = parameters();
  b_ = parameters();
  if (program.cones()) {
    g_ = parameters();
    q_ = arena.matrix<Real>(s.rows, s.parameter_rows());
  }
  delta_ = program.cones() ? one_set() : b_;
  t_ = one_set();
  if (split_loss()) {
    qz_ = samples();
    z_ = samples();
    a_ = samples();
  } else {
    a_ = program.y;
  }
  output_ = samples();
  if (program.cones()) needs_multipliers_.resize(s.parameter_rows() / program.group);
  inverse_metric_ = arena.matrix<Real>(1, s.features);
  update_ = make_u_update(route, algebra, arena, program, communicator);
}

template <class Real>
void Admm<Real>::start(double rho) {
  start(rho, tau_, {}, {}, {});
}

template <class Real>
void Admm<Real>::start(double rho, double tau, std::span<const Real> p, std::span<const Real> q,
                       std::span<const Real> qz) {
  std::vector<Real> inverse = metric(program_);
  for (Real& value : inverse) value = 1 / value;
  algebra_.upload(inverse, inverse_metric_);
  recorded_step_.reset();
  rho_ = rho;
  tau_ = tau;
  if (p.empty()) {
    algebra_.fill(p_, 0);
  } else {
    algebra_.upload(p, p_);
  }
  threshold();
  if (program_.cones()) {
    if (q.empty()) {  // q = E∘(XV): relaxing q = 0 fully does just that
      algebra_.fill(q_, 0);
      algebra_.cone_relax(program_.x, program_.gates, program_.shape.outputs, v_, 1, q_);
    } else {
      algebra_.upload(q, q_);
    }
  }
  if (split_loss()) {
    if (qz.empty()) {
      algebra_.fill(qz_, 0);
    } else {
      algebra_.upload(qz, qz_);
    }
  }
  update_->factor(data_weight());
}

/// V and b = B⁻¹·(2V − p + γ·Xᵀ(E∘|q|)), whose last term g holds.
template <class Real>
void Admm<Real>::threshold() {
  algebra_.group_threshold(p_, program_.group, static_cast<Real>(program_.beta / rho_), g_,
                           static_cast<Real>(gamma_cone), inverse_metric_, v_, b_);
}

template <class Real>
void Admm<Real>::iterate() {
  // Iterative updates and several shards take numbers to the host.
  if (update_->iterative() || communicator_.size() > 1) return step();
  algebra_.replay(recorded_step_, [this] { step(); });
}

template <class Real>
void Admm<Real>::step() {
  const GatedShape& s = program_.shape;
  if (program_.cones()) {
    algebra_.cone_adjoint(program_.x, program_.gates, s.outputs, q_, ConePart::magnitude, g_);
  }
  threshold();
  if (split_loss()) {
    prox();
  }
  correct_u();
  if (program_.cones()) {
    algebra_.cone_relax(program_.x, program_.gates, s.outputs, b_, static_cast<Real>(relaxation_),
                        q_);
  }
  if (split_loss()) {  // qz += α(Fu − z), Fu = a − r
    const auto alpha = static_cast<Real>(relaxation_);
    algebra_.axpby(alpha, a_, 1, qz_);
    algebra_.axpby(-alpha, update_->residual(), 1, qz_);
    algebra_.axpby(-alpha, z_, 1, qz_);
  }
}

/// u₁ = b₁ + t, u₂ = b₂ − t, left in b; p += α(u − V).
template <class Real>
void Admm<Real>::correct_u() {
  const auto alpha = static_cast<Real>(relaxation_);
  if (program_.cones()) algebra_.copy(set(b_, 0), delta_);
  if (program_.shape.sets == 2) algebra_.axpby(-1, set(b_, 1), 1, delta_);
  if (program_.signed_gates) algebra_.scale_rows(program_.signs, delta_);
  constexpr double inexactness = 0.6;
  update_->correct(delta_, a_, inexactness * change_, t_);
  if (program_.signed_gates) algebra_.scale_rows(program_.signs, t_);
  for (std::size_t j = 0; j < program_.shape.sets; ++j) {
    algebra_.relax(t_, j == 0 ? Real(1) : Real(-1), set(v_, j), alpha, set(b_, j), set(p_, j));
  }
  if (update_->iterative()) {
    const double squares = algebra_.dot(b_, b_) - 2 * algebra_.dot(b_, v_) + algebra_.dot(v_, v_);
    change_ = std::sqrt(std::max(0.0, communicator_.sum(squares)));
  }
}

template <class Real>
View<Real> Admm<Real>::parameters() {
  threshold();
  return v_;
}

template <class Real>
void Admm<Real>::prox() {
  algebra_.loss_prox(program_.loss, qz_, program_.y, program_.weights, static_cast<Real>(tau_), z_,
                     a_);
}

template <class Real>
void Admm<Real>::set_penalties(double rho, double tau) {
  // λ = ρ(p − V) stays: p = V + (ρ_old/ρ)·(p − V); likewise the negative part of q, and qz − z.
  const auto ratio = static_cast<Real>(rho_ / rho), loss_ratio = static_cast<Real>(tau_ / tau);
  threshold();
  algebra_.axpby(1 - ratio, v_, ratio, p_);
  if (program_.cones()) algebra_.cone_rescale(ratio, q_);
  if (split_loss()) {
    prox();
    algebra_.axpby(1 - loss_ratio, z_, loss_ratio, qz_);
  }
  recorded_step_.reset();
  rho_ = rho;
  tau_ = tau;
  update_->factor(data_weight());
}

template <class Real>
double Admm<Real>::loss_balance() {
  if (!split_loss()) return 1;
  prox();
  algebra_.copy(qz_, output_);
  algebra_.axpby(-1, z_, 1, output_);
  const double nu = algebra_.dot(output_, output_), z = algebra_.dot(z_, z_);
  return nu > 0 && z > 0 ? std::clamp(0.5 * std::sqrt(nu / z), 1.0 / 30, 30.0) : 1;
}

template <class Real>
double Admm<Real>::group_balance() {
  threshold();
  std::vector<double> norms(program_.shape.parameter_rows() / program_.group);
  algebra_.group_norms(v_, program_.group, norms);
  double sums[2] = {};
  auto& [squares, active] = sums;
  for (const double norm : norms) {
    squares += norm * norm;
    active += norm > 0 ? 1 : 0;
  }
  communicator_.sum(sums);
  if (squares <= 0) return no_group_in_use;
  return std::clamp(program_.beta / (rho_ * std::sqrt(squares / active)), 1.0 / 30, 30.0);
}

template <class Real>
Bounds Admm<Real>::bounds(const Targets& targets) {
  const GatedShape& s = program_.shape;
  Bounds bounds;
  agree();
  dual_vector(targets);  // before V's threshold overwrites b: it needs r of the last u-update
  threshold();
  double sums[3] = {};
  auto& [penalty, violation, total] = sums;
  if (program_.cones()) {
    const ConeSums cones =
        algebra_.network_forward(program_.x, program_.gates, s.sets, v_, output_);
    violation = cones.violation;
    total = cones.total;
  } else {
    algebra_.gated_forward(program_.x, program_.gates, v_, output_);
  }
  std::vector<double> norms(s.parameter_rows() / program_.group);
  algebra_.group_norms(v_, program_.group, norms);
  for (const double norm : norms) penalty += program_.beta * norm;
  communicator_.sum(sums);
  communicator_.sum(algebra_, output_);
  bounds.infeasibility = total > 0 ? std::sqrt(violation / total) : 0;
  bounds.objective =
      penalty + algebra_.loss_value(program_.loss, output_, program_.y, program_.weights);
  bounds.dual = dual_bound(targets);
  return bounds;
}

/// Shards that were stopped in the midst of something may differ in what they have in common: ρ and
/// τ are the first one's then, as ν will be.
template <class Real>
void Admm<Real>::agree() {
  double penalties[] = {rho_, tau_};
  communicator_.share(penalties);
  rho_ = penalties[0];
  tau_ = penalties[1];
}

/// ν = −r, or τ(qz − z), moved into the domain of ℓ*.
template <class Real>
void Admm<Real>::dual_vector(const Targets& targets) {
  const GatedShape& s = program_.shape;
  staging_.resize(s.rows * s.outputs);
  if (split_loss()) {
    prox();
    algebra_.copy(qz_, output_);
    algebra_.axpby(static_cast<Real>(-tau_), z_, static_cast<Real>(tau_), output_);
  } else {
    algebra_.axpby(-1, update_->residual(), 0, output_);
  }
  algebra_.download(output_, staging_);
  nu_.assign(staging_.begin(), staging_.end());
  communicator_.share(nu_);
  if (!split_loss()) return;
  for (std::size_t k = 0; k < s.rows; ++k) {
    double* nu = nu_.data() + k * s.outputs;
    const double weight = targets.weights.empty() ? 1 : targets.weights[k];
    for (std::size_t o = 0; o < s.outputs; ++o) nu[o] /= weight;
    losses::project_dual(program_.loss, nu, targets.y.data() + k * s.outputs, s.outputs);
    for (std::size_t o = 0; o < s.outputs; ++o) nu[o] *= weight;
  }
}

/// −ℓ*(τν) with τ ≤ β/m, m the largest ‖Xᵀ(±Dᵢν − Eᵢμᵢ)‖; each gate may also take μᵢ = 0.
template <class Real>
double Admm<Real>::dual_bound(const Targets& targets) {
  const GatedShape& s = program_.shape;
  std::copy(nu_.begin(), nu_.end(), staging_.begin());
  algebra_.upload(staging_, output_);
  algebra_.gated_adjoint(program_.x, program_.gates, output_, t_);
  std::vector<double> least(s.set_rows() / program_.group), norms(least.size());
  algebra_.dual_norms(t_, 1, {}, 0, program_.group, least);
  double largest = 0;
  if (program_.cones()) {
    algebra_.cone_adjoint(program_.x, program_.gates, s.outputs, q_, ConePart::multiplier, g_);
    const auto weight = static_cast<Real>(rho_ * gamma_cone);
    for (std::size_t j = 0; j < s.sets; ++j) {
      algebra_.dual_norms(t_, j == 0 ? Real(1) : Real(-1), set(g_, j), weight, program_.group,
                          norms);
      for (std::size_t i = 0; i < norms.size(); ++i) {
        largest = std::max(largest, std::min(norms[i], least[i]));
      }
    }
  } else {
    for (const double norm : least) largest = std::max(largest, norm);
  }
  largest = communicator_.max(largest);
  for (std::size_t i = 0; i < needs_multipliers_.size(); ++i) {
    needs_multipliers_[i] = least[i % least.size()] > largest;
  }
  return scaled_dual(program_.loss, nu_, targets.y, targets.weights, s.outputs, program_.beta,
                     largest);
}

template class Admm<float>;
template class Admm<double>;

}  // namespace secondorder::convex_relu
