// The Newton direction of an iteration: K·(Δx, Δλ) = −(∇L, c), by the linear solver asked for, with
// corrected inertia, to a sufficient accuracy, and by exact factors where that solver fails.
#pragma once

#include <memory>
#include <span>

#include "newton/hessian.hpp"
#include "newton/inertia.hpp"
#include "newton/kkt_system.hpp"
#include "newton/options.hpp"
#include "newton/result.hpp"
#include "newton/scaled_problem.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

/// A point with its multipliers.
struct State {
  Iterate at;
  Vector lambda;
  Vector gradient;  ///< ∇L = ∇f + Jᵀλ

  void update_gradient() { at.lagrangian_gradient(lambda, gradient); }
};

class NewtonStep {
 public:
  /// `own` is the problem's own solver, or null.
  NewtonStep(LagrangianHessian& hessian, const State& pattern, std::unique_ptr<KktSolver> own,
             const Options& options, ThreadPool& pool);

  /// Solves for the direction at `state`; false when no regularization gives one.
  bool compute(const State& state);
  /// (Δx, Δλ)
  std::span<const double> direction() const { return direction_; }
  std::span<const double> dx() const { return direction().first(system_.variables); }
  std::span<const double> dlambda() const { return direction().last(system_.constraints); }
  /// The direction for other constraint values, by the same K; false where it isn't finite.
  bool correct(std::span<const double> c, Vector& direction);

  /// Solves the same system more accurately; false when the method's accuracy is exhausted.
  bool tighten();
  /// Solves anew with exact factors; false where that has been done or isn't possible.
  bool solve_exactly();

  /// The share of the direction that was taken. Where it was too long, later ones are solved for
  /// more accurately and, `near` the constraints, regularized to be shorter.
  void learn(double length, bool near);
  /// Directions to come may be of any length again.
  void forget_length() { correction_.set_floor(0); }
  double delta_w() const { return system_.delta_w; }
  /// Counts of the solvers so far.
  void count(LinearReport& report) const;

 private:
  void take_own_solver(std::unique_ptr<KktSolver> own);
  enum class Attempt { solved, unsolved, hopeless };
  Attempt attempt(KktSolver& solver);
  void stay_exact_after_failures();
  bool hides_zeros(KktSolver& solver);
  bool iterates(const KktSolver& solver) const;
  double accuracy(const KktSolver& solver) const;
  bool usable(const SolveOutcome& outcome) const;
  bool curves_upwards();

  LagrangianHessian& hessian_;
  Options options_;
  ThreadPool& pool_;
  std::unique_ptr<KktSolver> solver_, exact_;
  KktSolver* active_ = nullptr;
  bool direct_ = false;  // the active solver tells the inertia
  KktSystem system_;
  InertiaCorrection correction_;
  Vector right_, direction_, image_;
  double accuracy_ = 0;
  double looseness_ = 1;    // factor on the accuracy of iterative solvers
  bool fell_back_ = false;  // the last system needed exact factors
  int failures_ = 0;        // such systems in a row
  LinearReport counts_;
};

}  // namespace secondorder::newton
