// The loss term of the sampled convex program, Φ(z) = Σₖ wₖℓ(zₖ, yₖ), as a function of the outputs
// z (outputs × n).
#pragma once

#include <span>
#include <vector>

#include "algebra/view.hpp"
#include "convex_relu/program.hpp"

namespace secondorder::convex_relu {

class ScpLoss {
 public:
  ScpLoss(Loss loss, const Targets& targets, HostAlgebra& host)
      : loss_(loss), targets_(targets), host_(host) {}

  double value(ConstView<double> z) const;
  /// Of a smooth loss: ∇Φ, and for each sample a curvature that the Hessian over its outputs does
  /// not exceed: for one output its second derivative.
  void expand(ConstView<double> z, View<double> gradient, std::span<double> curvature) const;
  /// The same curvature for every z.
  bool quadratic() const { return loss_ == Loss::squared; }
  /// Φ's gradient is Lipschitz with this constant, in the norm weighted by w; smooth losses only.
  double smoothness() const;

 private:
  double weight(std::size_t k) const { return targets_.weights.empty() ? 1 : targets_.weights[k]; }
  template <class Body>
  double sum_over_samples(Body body) const;

  Loss loss_;
  const Targets& targets_;
  HostAlgebra& host_;
};

}  // namespace secondorder::convex_relu
