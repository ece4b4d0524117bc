#include "convex_relu/adversarial_admm.hpp"

#include <algorithm>
#include <cmath>

#include "algebra/download.hpp"

namespace secondorder::convex_relu {

template <class Real>
RobustAdmm<Real>::RobustAdmm(Algebra<Real>& algebra, RobustOperations<Real>& operations,
                             Arena& arena, const RobustProgram<Real>& program, double relaxation)
    : algebra_(algebra),
      operations_(operations),
      program_(program),
      relaxation_(relaxation),
      update_(algebra, operations, arena, program) {
  const std::size_t n = program.rows, f = program.features, count = program.gates;
  for (View<Real>* view : {&p_, &pe_, &v_, &e_, &b_}) *view = arena.matrix<Real>(2 * count, f);
  for (View<Real>* view : {&ps_, &s_}) *view = arena.matrix<Real>(2 * count, n);
  for (View<Real>* view : {&q_, &z_}) *view = arena.matrix<Real>(n, f);
  for (View<Real>* view : {&sum_, &difference_}) *view = arena.matrix<Real>(count, f);
  feature_ones_ = arena.matrix<Real>(1, f);
  sample_ones_ = arena.matrix<Real>(n, 1);
  row_sums_ = arena.matrix<Real>(2 * count, 1);
}

template <class Real>
void RobustAdmm<Real>::start(const RobustData& data, GateBits patterns, HostAlgebra& host,
                             double rho, double tau) {
  for (const View<Real>& view : {p_, pe_, ps_, q_}) algebra_.fill(view, 0);
  algebra_.fill(feature_ones_, 1);
  algebra_.fill(sample_ones_, 1);
  rho_ = rho;
  tau_ = tau;
  update_.factor(data, patterns, host);
  update_.set_weight(tau_ / rho_);
}

template <class Real>
void RobustAdmm<Real>::resume(const RobustState<Real>& state, std::size_t gates) {
  const auto place = [&](const std::vector<Real>& from, View<Real> to) {
    const std::span<const Real> values(from);
    for (std::size_t j = 0; j < 2; ++j) {
      algebra_.upload(values.subspan(j * gates * to.cols, gates * to.cols),
                      set(to, j).block(0, gates));
    }
  };
  place(state.p, p_);
  place(state.pe, pe_);
  place(state.ps, ps_);
  algebra_.upload(state.q, q_);
  rho_ = state.rho;
  tau_ = state.tau;
  update_.set_weight(tau_ / rho_);
}

/// V = groupsoft(p, β/ρ) and b = 2V − p.
template <class Real>
void RobustAdmm<Real>::threshold() {
  algebra_.group_threshold(p_, 1, static_cast<Real>(program_.beta / rho_), {}, 0, feature_ones_, v_,
                           b_);
}

/// (e, s), the nearest point of the robust cones.
template <class Real>
void RobustAdmm<Real>::project() {
  operations_.robust_cone_prox(program_.radius, static_cast<Real>(gamma_robust_cone / gamma_box),
                               pe_, ps_, e_, s_);
}

template <class Real>
void RobustAdmm<Real>::prox() {
  operations_.robust_loss_prox(program_.loss, program_.x, program_.y, program_.weights,
                               program_.radius, static_cast<Real>(tau_), q_, z_);
}

template <class Real>
void RobustAdmm<Real>::activations(ConstView<Real> u) {
  algebra_.multiply(1, u, Transpose::no, program_.x, Transpose::yes, 0, s_);
  operations_.apply_signs(program_.d, s_);
}

template <class Real>
void RobustAdmm<Real>::iterate() {
  const auto alpha = static_cast<Real>(relaxation_);
  const auto kappa = static_cast<Real>(tau_ / rho_);
  // Each constraint's reflected point 2·prox − state into its right-hand side, its state on the
  // way.
  threshold();
  algebra_.axpby(-alpha, v_, 1, p_);
  project();
  operations_.reflect(alpha, e_, pe_);
  algebra_.axpby(static_cast<Real>(gamma_box), e_, 1, b_);
  operations_.reflect(alpha, s_, ps_);
  operations_.apply_signs(program_.d, s_);
  algebra_.multiply(static_cast<Real>(gamma_robust_cone), s_, Transpose::no, program_.x,
                    Transpose::no, 1, b_);
  prox();
  operations_.reflect(alpha, z_, q_);
  // The u-update: sums and differences of the two sets.
  algebra_.copy(set(b_, 0), sum_);
  algebra_.axpby(1, set(b_, 1), 1, sum_);
  algebra_.copy(set(b_, 0), difference_);
  algebra_.axpby(-1, set(b_, 1), 1, difference_);
  algebra_.multiply(2 * kappa, program_.d, Transpose::no, z_, Transpose::no, 1, difference_);
  update_.solve(sum_, difference_);
  for (std::size_t j = 0; j < 2; ++j) {
    algebra_.copy(sum_, set(b_, j));
    algebra_.axpby(j == 0 ? Real(0.5) : Real(-0.5), difference_, Real(0.5), set(b_, j));
  }
  // state += α·(the constraint's image of u)
  algebra_.axpby(alpha, b_, 1, p_);
  algebra_.axpby(alpha, b_, 1, pe_);
  activations(b_);
  algebra_.axpby(alpha, s_, 1, ps_);
  algebra_.multiply(alpha, program_.d, Transpose::yes, difference_, Transpose::no, 1, q_);
}

template <class Real>
void RobustAdmm<Real>::set_penalties(double rho, double tau) {
  const auto ratio = static_cast<Real>(rho_ / rho), loss_ratio = static_cast<Real>(tau_ / tau);
  threshold();
  algebra_.axpby(1 - ratio, v_, ratio, p_);
  project();
  algebra_.axpby(1 - ratio, e_, ratio, pe_);
  algebra_.axpby(1 - ratio, s_, ratio, ps_);
  prox();
  algebra_.axpby(1 - loss_ratio, z_, loss_ratio, q_);
  rho_ = rho;
  tau_ = tau;
  update_.set_weight(tau_ / rho_);
}

template <class Real>
double RobustAdmm<Real>::loss_balance() {
  prox();
  const double z = algebra_.dot(z_, z_);
  algebra_.axpby(1, q_, -1, z_);
  const double gap = algebra_.dot(z_, z_);
  return gap > 0 && z > 0 ? std::clamp(0.5 * std::sqrt(gap / z), 1.0 / 30, 30.0) : 1;
}

template <class Real>
Bounds RobustAdmm<Real>::bounds(const RobustData& data, HostAlgebra& host) {
  Bounds bounds;
  threshold();
  v_host_ = downloaded_as_double(algebra_, v_);
  activations(v_);
  const ConeSums sums = operations_.robust_violation(program_.radius, v_, s_);
  bounds.infeasibility = sums.total > 0 ? std::sqrt(sums.violation / sums.total) : 0;

  algebra_.copy(set(v_, 0), difference_);
  algebra_.axpby(-1, set(v_, 1), 1, difference_);
  algebra_.multiply(1, program_.d, Transpose::yes, difference_, Transpose::no, 0, z_);
  const std::size_t f = data.features;
  const std::vector<double> weights = downloaded_as_double(algebra_, z_);
  for (std::size_t k = 0; k < data.rows; ++k) {
    double output = 0, spread = 0;
    for (std::size_t j = 0; j < f; ++j) {
      output += data.x[k * f + j] * weights[k * f + j];
      spread += data.radius[j] * std::abs(weights[k * f + j]);
    }
    const double weight = data.targets.weights.empty() ? 1 : data.targets.weights[k];
    bounds.objective += weight * robust::value(data.loss, output, spread, data.targets.y[k]);
  }
  std::vector<double> norms(2 * program_.gates);
  algebra_.group_norms(v_, 1, norms);
  for (const double norm : norms) bounds.objective += program_.beta * norm;

  loss_dual(data, host);
  bounds.dual = dual_bound(data);
  return bounds;
}

template <class Real>
void RobustAdmm<Real>::loss_dual(const RobustData& data, HostAlgebra& host) {
  const std::size_t f = data.features;
  const std::vector<double> q = downloaded_as_double(algebra_, q_);
  dual_.nu.assign(data.rows, 0);
  dual_.shifts.assign(data.rows * f, 0);
  host.for_rows(data.rows, 100 * f, [&](std::size_t first, std::size_t last) {
    std::vector<double> z(f);
    for (std::size_t k = first; k < last; ++k) {
      const double weight = data.targets.weights.empty() ? 1 : data.targets.weights[k];
      const double* x = data.x.data() + k * f;
      const robust::Sample<double> sample{x, data.radius.data(), data.targets.y[k], f};
      const double* a = q.data() + k * f;
      dual_.nu[k] = weight * robust::loss_prox(data.loss, sample, a, tau_ / weight, z.data()).nu;
      for (std::size_t j = 0; j < f; ++j) {
        dual_.shifts[k * f + j] = tau_ * (a[j] - z[j]) - dual_.nu[k] * x[j];
      }
    }
  });
}

template <class Real>
double RobustAdmm<Real>::dual_bound(const RobustData& data) {
  const std::size_t f = data.features, count = program_.gates;
  const std::vector<double> multipliers = project_robust_dual(data, dual_);
  const std::vector<Real> staged(multipliers.begin(), multipliers.end());
  algebra_.upload(staged, z_);
  algebra_.multiply(1, program_.d, Transpose::no, z_, Transpose::no, 0, difference_);
  const std::vector<double> c = downloaded_as_double(algebra_, difference_);
  project();  // μ = ργₛ(s − ps)
  algebra_.axpby(-1, ps_, 1, s_);
  algebra_.multiply(1, s_, Transpose::no, sample_ones_, Transpose::no, 0, row_sums_);
  operations_.apply_signs(program_.d, s_);
  algebra_.multiply(1, s_, Transpose::no, program_.x, Transpose::no, 0, b_);
  const double weight = rho_ * gamma_robust_cone;
  std::vector<double> g = downloaded_as_double(algebra_, b_),
                      sums = downloaded_as_double(algebra_, row_sums_);
  for (double& value : g) value *= weight;
  std::vector<double> least(2 * count);
  double largest = 0;
  for (std::size_t row = 0; row < 2 * count; ++row) {
    const double sign = row < count ? 1 : -1;
    const double* from = c.data() + row % count * f;
    least[row] = robust_dual_norm(from, sign, nullptr, 0, data.radius);
    const double with =
        robust_dual_norm(from, sign, g.data() + row * f, weight * sums[row], data.radius);
    largest = std::max(largest, std::min(with, least[row]));
  }
  dual_.needs_multipliers.assign(2 * count, false);
  for (std::size_t row = 0; row < 2 * count; ++row) {
    dual_.needs_multipliers[row] = least[row] > largest;
  }
  return scaled_robust_dual(data, dual_, largest);
}

template <class Real>
RobustState<Real> RobustAdmm<Real>::state() {
  return {downloaded(algebra_, p_),
          downloaded(algebra_, pe_),
          downloaded(algebra_, ps_),
          downloaded(algebra_, q_),
          rho_,
          tau_};
}

template <class Real>
std::vector<double> RobustAdmm<Real>::multipliers(std::size_t row) {
  operations_.robust_cone_prox(program_.radius, static_cast<Real>(gamma_robust_cone / gamma_box),
                               pe_.block(row, 1), ps_.block(row, 1), e_.block(row, 1),
                               s_.block(row, 1));
  algebra_.axpby(-1, ps_.block(row, 1), 1, s_.block(row, 1));
  std::vector<double> mu = downloaded_as_double(algebra_, s_.block(row, 1));
  for (double& value : mu) value *= rho_ * gamma_robust_cone;
  return mu;
}

template class RobustAdmm<float>;
template class RobustAdmm<double>;

}  // namespace secondorder::convex_relu
