// The loss term of the sampled convex program, Φ(z) = Σₖ wₖℓ(zₖ, yₖ), as a smooth function of the
// outputs z (outputs × n). The hinge is made smooth by the proximal method of multipliers
// (Rockafellar, Math. Oper. Res. 1, 1976): with multipliers ν̂ and σ > 0
//
//   Φσ(z) = Σₖ wₖ·min over s of { ℓ(s) + ν̂ₖ(zₖ − s) + (σ/2)(zₖ − s)² },   ν̂ ← ∇Φσ(z)
//
// whose minimizers tend to one of the program with the hinge itself, for any σ. Its gradient is in
// the domain of ℓ* throughout, so that every step has a dual point.
#pragma once

#include <span>
#include <vector>

#include "algebra/view.hpp"
#include "convex_relu/program.hpp"

namespace secondorder::convex_relu {

class ScpLoss {
 public:
  ScpLoss(Loss loss, const Targets& targets, HostAlgebra& host);

  /// Φ, of the hinge itself too.
  double value(ConstView<double> z) const;
  /// Φσ; Φ where the loss is smooth.
  double smooth_value(ConstView<double> z) const;
  /// ∇Φσ, and for each sample a curvature that the Hessian over its outputs does not exceed: for
  /// one output its second derivative.
  void expand(ConstView<double> z, View<double> gradient, std::span<double> curvature) const;
  /// The same curvature for every z.
  bool quadratic() const { return loss_ == Loss::squared; }
  bool smooth() const { return loss_ != Loss::hinge; }
  /// Φ's gradient is Lipschitz with this constant, in the norm weighted by w; smooth losses only.
  double smoothness() const;

  /// ν̂ ← ∇Φσ(z), and then a σ that is `growth` times as large.
  void update_multipliers(ConstView<double> z, double growth);
  double sigma() const { return sigma_; }

 private:
  double weight(std::size_t k) const { return targets_.weights.empty() ? 1 : targets_.weights[k]; }
  template <class Body>
  double sum_over_samples(Body body) const;

  Loss loss_;
  const Targets& targets_;
  HostAlgebra& host_;
  std::vector<double> multipliers_;  ///< n × outputs, of samples of weight 1; hinge only
  double sigma_ = 1;
};

}  // namespace secondorder::convex_relu
