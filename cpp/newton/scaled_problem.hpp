// The problem in the solver's units: s_f·f and s_c∘c, evaluations counted.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>

#include "newton/problem.hpp"
#include "newton/result.hpp"
#include "newton/sparse.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

/// A point with what has been evaluated there, scaled.
struct Iterate {
  Vector x;
  double f = std::numeric_limits<double>::quiet_NaN();
  Vector c, gradient;
  SparseMatrix jacobian;

  bool values_finite() const;
  bool derivatives_finite() const;
  /// out = ∇f + Jᵀλ
  void lagrangian_gradient(std::span<const double> lambda, std::span<double> out) const;
};

class ScaledProblem {
 public:
  /// Unscaled until choose_scales(). Throws Error(invalid_argument) for a structure out of range,
  /// Error(out_of_memory) where a run can't fit.
  explicit ScaledProblem(Problem& problem);

  std::size_t variables() const { return problem_.variables(); }
  std::size_t constraints() const { return problem_.constraints(); }
  Problem& problem() { return problem_; }
  const Evaluations& evaluations() const { return evaluations_; }
  Evaluations& evaluations() { return evaluations_; }

  /// An iterate at x, nothing evaluated.
  Iterate at(std::span<const double> x) const;
  /// f and c
  void evaluate(Iterate& iterate) {
    evaluate_objective(iterate);
    evaluate_constraint(iterate);
  }
  void evaluate_objective(Iterate& iterate);
  void evaluate_constraint(Iterate& iterate);
  /// ∇f and J
  void differentiate(Iterate& iterate);

  /// s = min(1, largest / ‖∇‖∞) of f and of each row of c, from the derivatives at `start`, which
  /// are scaled too.
  void choose_scales(Iterate& start, double largest);
  /// Where gradients have become smaller by a factor of 100 since their scales were chosen, these
  /// grow, and the values at `iterate` and its multipliers with them; false where nothing changes.
  bool grow_scales(Iterate& iterate, std::span<double> lambda, double largest);
  double objective_scale() const { return objective_scale_; }
  std::span<const double> constraint_scale() const { return constraint_scale_; }

  /// Multipliers of the scaled problem from those of the given one, and back.
  Vector scaled_multipliers(std::span<const double> given) const;
  Vector given_multipliers(std::span<const double> scaled) const;

  /// Entries and products of the Hessian of sigma·f + λᵀc, scaled.
  void hessian_values(const Iterate& iterate, double sigma, std::span<const double> lambda,
                      std::span<double> out);
  void hessian_product(const Iterate& iterate, double sigma, std::span<const double> lambda,
                       std::span<const double> v, std::span<double> out);

  /// From now on KktError::scaled is the Euclidean norm of (∇L, c).
  void measure_by_euclidean_norm() { euclidean_ = true; }
  KktError error(const Iterate& iterate, std::span<const double> lambda,
                 std::span<const double> lagrangian_gradient) const;
  /// The error at x of the given problem and multipliers, evaluated anew, and the objective there.
  KktError verify(std::span<const double> x, std::span<const double> given_lambda,
                  double& objective);

  /// What isn't finite at `iterate`, in words; empty where all is.
  std::string describe_non_finite(const Iterate& iterate) const;

 private:
  void scale_objective(double scale, Iterate& iterate);
  void scale_constraint(std::size_t i, double scale, Iterate& iterate);
  std::span<const double> scaled_weights(std::span<const double> lambda);

  Problem& problem_;
  SparseMatrix jacobian_pattern_;
  double objective_scale_ = 1;
  bool euclidean_ = false, scaled_ = false;
  Vector constraint_scale_, coordinates_, weights_;
  Evaluations evaluations_;
};

}  // namespace secondorder::newton
