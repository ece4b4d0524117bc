// The Hessian H of σf + λᵀc, scaled, at an iterate, in whatever form the problem gives it.
#pragma once

#include <memory>
#include <span>

#include "base/run_control.hpp"
#include "newton/kkt_system.hpp"
#include "newton/options.hpp"
#include "newton/scaled_problem.hpp"

namespace secondorder::newton {

class LagrangianHessian {
 public:
  LagrangianHessian() = default;
  LagrangianHessian(const LagrangianHessian&) = delete;
  LagrangianHessian& operator=(const LagrangianHessian&) = delete;
  virtual ~LagrangianHessian() = default;

  /// Evaluates at x and lambda, which stay until the next call; false where it isn't finite. BFGS
  /// knows σ = 1 alone.
  virtual bool update(const Iterate& iterate, std::span<const double> lambda, double sigma) = 0;
  bool update(const Iterate& iterate, std::span<const double> lambda) {
    return update(iterate, lambda, 1);
  }
  /// Null when only products are known. The pattern never changes.
  virtual const SparseSymmetric* matrix() const { return nullptr; }
  /// out = H·v
  virtual void multiply(std::span<const double> v, std::span<double> out) = 0;

  /// A step that was taken, and the change ∇L(x₊, λ₊) − ∇L(x, λ₊) over it.
  virtual void learn(std::span<const double> /*step*/, std::span<const double> /*change*/) {}
  virtual bool learns() const { return false; }
  /// Forgets what was learnt.
  virtual void forget() {}
  /// A solver for the systems with this form of H, or null.
  virtual std::unique_ptr<KktSolver> own_kkt_solver() { return nullptr; }
};

/// By the problem's form. Products of few variables are assembled into a matrix, unless the solver
/// asked for, or the problem's `own`, works with products; the control may stop that between
/// products, by Cancelled.
std::unique_ptr<LagrangianHessian> make_hessian(ScaledProblem& problem, const Options& options,
                                                const RunControl& control, bool own_solver);

}  // namespace secondorder::newton
