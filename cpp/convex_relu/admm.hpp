// ADMM for the sampled convex program (arXiv 2201.01965, Algorithm 1), in its Douglas–Rachford
// form: every split constraint keeps one vector that holds both the primal value (its proximal
// point) and the multiplier (the rest).
//   p  ↦ V = groupsoft(p, β/ρ)                      u = V
//   q  ↦ s = relu(q),  μ = ργ·relu(−q)              E∘(Xu) = s     (ReLU model)
//   qz ↦ z = prox of ℓ/τ at qz,  ν = τ(qz − z)      F(u₁ − u₂) = z (losses other than squared)
//
// Gates meet in F alone, and in the sums and maxima of the certificate. So the gates may be cut
// into shards, each with p and q of its own and all with the same qz: what meets goes through the
// communicator, everything else is each shard's own affair (sharded_admm.hpp).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "communicator/communicator.hpp"
#include "convex_relu/program.hpp"
#include "convex_relu/progress.hpp"
#include "convex_relu/u_update.hpp"

namespace secondorder::convex_relu {

/// The factor for ρ while all weights are 0: the multipliers have yet to grow, in proportion to ρ.
inline constexpr double no_group_in_use = 4;

template <class Real>
class Admm {
 public:
  /// Lays out its memory in the arena, which may only count. `program` has the shard's gates alone.
  Admm(Algebra<Real>& algebra, Arena& arena, const Program<Real>& program, Route route,
       double relaxation, Communicator communicator = {});

  /// Starts at V = 0.
  void start(double rho);
  /// Starts from an earlier p, q and qz; q may be empty (then as V implies), and qz (then 0).
  void start(double rho, double tau, std::span<const Real> p, std::span<const Real> q,
             std::span<const Real> qz);
  /// Recorded by the algebra as one (Algebra::replay) while the penalties stay.
  void iterate();
  /// Changes ρ and τ, and keeps primal values and multipliers.
  void set_penalties(double rho, double tau);
  /// Certificate of the current V and multipliers: the objective is that of the network mapped from
  /// V, an upper bound of the optimum always. Not for signed gates.
  Bounds bounds(const Targets& targets);

  /// The factor that would make ρ the mean multiplier of the active groups over their size,
  /// β/rms‖Vᵢ‖; within [1/30, 30], or no_group_in_use.
  double group_balance();
  /// The factor that would make τ half of ‖ν‖/‖z‖; within [1/30, 30]. 1 for the squared loss.
  double loss_balance();

  /// V as of now.
  View<Real> parameters();

  Algebra<Real>& algebra() const { return algebra_; }
  double rho() const { return rho_; }
  double tau() const { return tau_; }
  std::size_t inner_iterations() const { return update_->inner_iterations(); }
  View<Real> p() const { return p_; }
  View<Real> q() const { return q_; }
  View<Real> qz() const { return qz_; }
  /// V and ν as of the last bounds(); ν in the units of the program.
  View<Real> v() const { return v_; }
  const std::vector<double>& nu() const { return nu_; }
  /// Penalty groups (set after set) whose dual norm needs its multipliers μ to stay below the
  /// bound's.
  const std::vector<bool>& needs_multipliers() const { return needs_multipliers_; }

 private:
  void agree();
  void step();
  void correct_u();
  void threshold();
  void dual_vector(const Targets& targets);
  double dual_bound(const Targets& targets);
  View<Real> set(View<Real> all, std::size_t index) const {
    return all.block(index * program_.shape.set_rows(), program_.shape.set_rows());
  }
  bool split_loss() const { return program_.loss != Loss::squared; }
  /// Weight k of the data term in the u-update, in units of ρ.
  double data_weight() const { return (split_loss() ? tau_ : 1) / rho_; }
  /// z and a = 2z − qz.
  void prox();

  Algebra<Real>& algebra_;
  const Program<Real>& program_;
  Communicator communicator_;
  double relaxation_;
  double rho_ = 1;
  double tau_ = 0.25;  ///< at first the largest curvature of the logistic loss
  double change_ = 0;  ///< ‖u − V‖ of the last iteration, kept for iterative u-updates

  View<Real> p_, v_, b_, g_;        ///< sets·P·c × r
  View<Real> delta_, t_;            ///< P·c × r
  View<Real> q_;                    ///< n × sets·P·c
  View<Real> qz_, z_, a_, output_;  ///< n × c
  View<Real> inverse_metric_;       ///< 1 × r
  std::vector<double> nu_;          ///< n × c
  std::vector<bool> needs_multipliers_;
  std::vector<Real> staging_;  ///< n × c, for transfers
  std::unique_ptr<UUpdate<Real>> update_;
  Recording recorded_step_;  ///< with the scalars and the memory of now
};

}  // namespace secondorder::convex_relu
