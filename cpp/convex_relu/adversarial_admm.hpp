// ADMM for the robust convex program, in its Douglas–Rachford form (admm.hpp): every constraint
// keeps one vector that holds value and multiplier together.
//   p        ↦ V = groupsoft(p, β/ρ)                                   u = V
//   (pe, ps) ↦ (e, s), nearest in s ≥ rᵀ|e|, μ = ργₛ(s − ps)             u = e, E∘(Xu) = s
//   q        ↦ Z = prox of φ/τ at q,  N = τ(q − Z)                      Dᵀ(u₁ − u₂) = Z
#pragma once

#include <vector>

#include "convex_relu/adversarial_program.hpp"
#include "convex_relu/adversarial_update.hpp"
#include "convex_relu/progress.hpp"
#include "convex_relu/robust_certificate.hpp"

namespace secondorder::convex_relu {

/// p, pe, ps, q, for a later start.
template <class Real>
struct RobustState {
  std::vector<Real> p, pe, ps, q;
  double rho = 1, tau = 1;
};

template <class Real>
class RobustAdmm {
 public:
  /// Lays out its memory in the arena, which may only count.
  RobustAdmm(Algebra<Real>& algebra, RobustOperations<Real>& operations, Arena& arena,
             const RobustProgram<Real>& program, double relaxation);

  /// Starts at 0, factoring the u-update.
  void start(const RobustData& data, GateBits patterns, HostAlgebra& host, double rho, double tau);
  /// Moves on from a state over fewer gates: those are this program's first ones.
  void resume(const RobustState<Real>& state, std::size_t gates);
  void iterate();
  /// Changes ρ and τ, and keeps primal values and multipliers.
  void set_penalties(double rho, double tau);
  /// Objective and infeasibility of V, and the dual bound of the multipliers.
  Bounds bounds(const RobustData& data, HostAlgebra& host);
  /// The factor that would make τ half of ‖N‖/‖Z‖; within [1/30, 30].
  double loss_balance();

  double rho() const { return rho_; }
  double tau() const { return tau_; }
  RobustState<Real> state();
  /// V (2P × f) and the dual variables as of the last bounds().
  const std::vector<double>& v() const { return v_host_; }
  const RobustDual& dual() const { return dual_; }
  /// The multipliers μ (n) of one row of parameters.
  std::vector<double> multipliers(std::size_t row);

 private:
  View<Real> set(View<Real> all, std::size_t index) const {
    return all.block(index * program_.gates, program_.gates);
  }
  void threshold();
  void project();
  void prox();
  /// s = E∘(u·Xᵀ)
  void activations(ConstView<Real> u);
  /// ν and ξ of the losses, from q on the host.
  void loss_dual(const RobustData& data, HostAlgebra& host);
  double dual_bound(const RobustData& data);

  Algebra<Real>& algebra_;
  RobustOperations<Real>& operations_;
  const RobustProgram<Real>& program_;
  double relaxation_;
  double rho_ = 1, tau_ = 1;

  View<Real> p_, pe_, v_, e_, b_;  ///< 2P × f
  View<Real> ps_, s_;              ///< 2P × n
  View<Real> q_, z_;               ///< n × f
  View<Real> sum_, difference_;    ///< P × f
  View<Real> feature_ones_;        ///< 1 × f
  View<Real> sample_ones_;         ///< n × 1
  View<Real> row_sums_;            ///< 2P × 1
  SylvesterUpdate<Real> update_;
  std::vector<double> v_host_;
  RobustDual dual_;
};

}  // namespace secondorder::convex_relu
