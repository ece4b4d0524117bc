// The exact augmented Lagrangian
//     L_η(x, λ) = f + cᵀλ + (η₁/2)‖c‖² + (η₂/2)‖∇ₓL‖²
// as merit function of (x, λ), with η adapted so that the Newton direction descends (Hong, Na,
// Mahoney, Kolar, arXiv 2305.18379).
#pragma once

#include "newton/hessian.hpp"
#include "newton/line_search.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

class ExactAugmentedLagrangian {
 public:
  double eta1 = 1, eta2 = 0.1;

  double value(const State& state) const;
  /// Evaluates what slope() needs; the Hessian is that at `state`.
  void update(const State& state, LagrangianHessian& hessian);
  /// ∇L_ηᵀ·(Δx, Δλ) at the state of update().
  double slope(const State& state, std::span<const double> dx, std::span<const double> dlambda);
  /// ‖(∇ₓL, c)‖² there.
  double residual_squared() const { return residual_squared_; }
  /// Whether a slope is at most −(η₂/2)‖(∇ₓL, c)‖².
  bool descends(double slope) const { return slope <= -0.5 * eta2 * residual_squared_; }
  /// η₁ ×ν², η₂ /ν, for ν = 1.5; false when they have reached 1e8 and 1e-8.
  bool adapt();

 private:
  Vector curvature_;  // ∇²ₓL·∇ₓL
  Vector image_;      // J·∇ₓL
  Vector across_;     // J·Δx
  double residual_squared_ = 0;
};

/// Armijo's rule on the exact augmented Lagrangian.
class MeritSearch final : public LineSearch {
 public:
  MeritSearch(ScaledProblem& problem, LagrangianHessian& hessian, const ThreadPool& pool)
      : problem_(problem), hessian_(hessian), pool_(pool) {}

  bool search(const State& from, NewtonStep& step, State& to, double& length) override;

 private:
  double find_descent(const State& from, NewtonStep& step);
  bool try_point(const State& from, const NewtonStep& step, double length, State& to);

  ScaledProblem& problem_;
  LagrangianHessian& hessian_;
  const ThreadPool& pool_;
  ExactAugmentedLagrangian merit_;
};

}  // namespace secondorder::newton
