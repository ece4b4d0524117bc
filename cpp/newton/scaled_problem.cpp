#include "newton/scaled_problem.hpp"

#include <algorithm>
#include <cmath>

#include "newton/require_memory.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// What a run holds at least: vectors of its iterates, steps and result; for an entry of J its
/// coordinates and values, those of three iterates among them.
constexpr double bytes_per_variable = 120, bytes_per_constraint = 80, bytes_per_entry = 60;
/// Scales never shrink a function further.
constexpr double smallest_scale = 1e-8;
/// Scales that would grow by less stay as they are.
constexpr double least_growth = 100;
/// Multipliers up to this average size leave the tolerance on ∇L as it is.
constexpr double usual_multiplier = 100;

double scale_for(double gradient, double largest) {
  return std::clamp(largest / std::max(gradient, 1e-300), smallest_scale, 1.0);
}

/// What overflow has made of an error.
double known(double error) {
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

/// s_d: large multipliers bring large rounding errors into ∇L.
double stationarity_divisor(std::span<const double> lambda) {
  if (lambda.empty()) return 1;
  const double average = norm1(lambda) / static_cast<double>(lambda.size());
  return std::max(usual_multiplier, average) / usual_multiplier;
}

std::string first_non_finite(const char* what, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return std::string(what) + "[" + std::to_string(i) + "] is " +
             (std::isnan(values[i]) ? "NaN" : "infinite");
    }
  }
  return {};
}

}  // namespace

bool Iterate::values_finite() const { return std::isfinite(f) && all_finite(c); }

bool Iterate::derivatives_finite() const { return all_finite(gradient) && jacobian.finite(); }

void Iterate::lagrangian_gradient(std::span<const double> lambda, std::span<double> out) const {
  std::copy(gradient.begin(), gradient.end(), out.begin());
  jacobian.add_transposed(1, lambda, out);
}

ScaledProblem::ScaledProblem(Problem& problem) : problem_(problem) {
  const auto n = static_cast<double>(variables()), m = static_cast<double>(constraints());
  require_memory(bytes_per_variable * n + bytes_per_constraint * m,
                 std::to_string(variables()) + " variables and " + std::to_string(constraints()) +
                     " constraints",
                 "variables");
  constraint_scale_.assign(constraints(), 1.0);
  const Coordinates structure = problem.jacobian_structure();
  require_memory(bytes_per_entry * static_cast<double>(structure.size()),
                 "a Jacobian of " + std::to_string(structure.size()) + " entries", "jacobian");
  jacobian_pattern_ =
      SparseMatrix(problem.constraints(), problem.variables(), structure, "jacobian");
  coordinates_.resize(structure.size());
}

Iterate ScaledProblem::at(std::span<const double> x) const {
  Iterate iterate;
  iterate.x.assign(x.begin(), x.end());
  iterate.c.resize(constraints());
  iterate.gradient.resize(variables());
  iterate.jacobian = jacobian_pattern_;
  return iterate;
}

void ScaledProblem::evaluate_objective(Iterate& iterate) {
  ++evaluations_.objective;
  iterate.f = objective_scale_ * problem_.objective(iterate.x);
}

void ScaledProblem::evaluate_constraint(Iterate& iterate) {
  if (constraints() == 0) return;
  ++evaluations_.constraint;
  problem_.constraint(iterate.x, iterate.c);
  for (std::size_t i = 0; i < iterate.c.size(); ++i) iterate.c[i] *= constraint_scale_[i];
}

void ScaledProblem::differentiate(Iterate& iterate) {
  ++evaluations_.gradient;
  problem_.gradient(iterate.x, iterate.gradient);
  for (double& value : iterate.gradient) value *= objective_scale_;
  if (constraints() == 0) return;
  ++evaluations_.jacobian;
  problem_.jacobian_values(iterate.x, coordinates_);
  iterate.jacobian.assign(coordinates_, constraint_scale_);
}

void ScaledProblem::scale_objective(double scale, Iterate& iterate) {
  const double factor = scale / objective_scale_;
  objective_scale_ = scale;
  iterate.f *= factor;
  for (double& value : iterate.gradient) value *= factor;
}

void ScaledProblem::scale_constraint(std::size_t i, double scale, Iterate& iterate) {
  const double factor = scale / constraint_scale_[i];
  constraint_scale_[i] = scale;
  iterate.c[i] *= factor;
  for (double& value : iterate.jacobian.row(i)) value *= factor;
}

void ScaledProblem::choose_scales(Iterate& start, double largest) {
  scale_objective(scale_for(norm_inf(start.gradient), largest), start);
  scaled_ = objective_scale_ < 1;
  for (std::size_t i = 0; i < constraints(); ++i) {
    scale_constraint(i, scale_for(norm_inf(start.jacobian.row(i)), largest), start);
    scaled_ = scaled_ || constraint_scale_[i] < 1;
  }
}

bool ScaledProblem::grow_scales(Iterate& iterate, std::span<double> lambda, double largest) {
  if (!scaled_) return false;
  bool grown = false;
  const double before = objective_scale_;
  const double wanted = scale_for(norm_inf(iterate.gradient) / before, largest);
  if (wanted >= least_growth * before) {
    scale_objective(wanted, iterate);
    for (double& value : lambda) value *= wanted / before;
    grown = true;
  }
  for (std::size_t i = 0; i < constraints(); ++i) {
    const double scale = constraint_scale_[i];
    const double better = scale_for(norm_inf(iterate.jacobian.row(i)) / scale, largest);
    if (better < least_growth * scale) continue;
    scale_constraint(i, better, iterate);
    lambda[i] *= scale / better;
    grown = true;
  }
  return grown;
}

Vector ScaledProblem::scaled_multipliers(std::span<const double> given) const {
  Vector lambda(given.begin(), given.end());
  for (std::size_t i = 0; i < lambda.size(); ++i) {
    lambda[i] *= objective_scale_ / constraint_scale_[i];
  }
  return lambda;
}

Vector ScaledProblem::given_multipliers(std::span<const double> scaled) const {
  Vector lambda(scaled.begin(), scaled.end());
  for (std::size_t i = 0; i < lambda.size(); ++i) {
    lambda[i] *= constraint_scale_[i] / objective_scale_;
  }
  return lambda;
}

std::span<const double> ScaledProblem::scaled_weights(std::span<const double> lambda) {
  weights_.assign(lambda.begin(), lambda.end());
  for (std::size_t i = 0; i < weights_.size(); ++i) weights_[i] *= constraint_scale_[i];
  return weights_;
}

void ScaledProblem::hessian_values(const Iterate& iterate, double sigma,
                                   std::span<const double> lambda, std::span<double> out) {
  ++evaluations_.hessian;
  problem_.hessian_values(iterate.x, sigma * objective_scale_, scaled_weights(lambda), out);
}

void ScaledProblem::hessian_product(const Iterate& iterate, double sigma,
                                    std::span<const double> lambda, std::span<const double> v,
                                    std::span<double> out) {
  ++evaluations_.hessian_product;
  problem_.hessian_product(iterate.x, sigma * objective_scale_, scaled_weights(lambda), v, out);
}

KktError ScaledProblem::error(const Iterate& iterate, std::span<const double> lambda,
                              std::span<const double> lagrangian_gradient) const {
  const double gradient = known(norm_inf(lagrangian_gradient));
  KktError error{.stationarity = gradient / objective_scale_};
  for (std::size_t i = 0; i < iterate.c.size(); ++i) {
    error.infeasibility =
        std::max(error.infeasibility, std::abs(iterate.c[i]) / constraint_scale_[i]);
  }
  error.scaled = euclidean_
                     ? known(newton::length(norm2(lagrangian_gradient), norm2(iterate.c)))
                     : std::max(gradient / stationarity_divisor(lambda), error.infeasibility);
  return error;
}

KktError ScaledProblem::verify(std::span<const double> x, std::span<const double> given_lambda,
                               double& objective) {
  Iterate fresh = at(x);
  evaluate(fresh);
  differentiate(fresh);
  objective = fresh.f / objective_scale_;
  if (!fresh.values_finite() || !fresh.derivatives_finite()) {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    return {infinite, infinite, infinite};
  }
  const Vector lambda = scaled_multipliers(given_lambda);
  Vector gradient(variables());
  fresh.lagrangian_gradient(lambda, gradient);
  return error(fresh, lambda, gradient);
}

std::string ScaledProblem::describe_non_finite(const Iterate& iterate) const {
  if (!std::isfinite(iterate.f)) {
    return std::string("the objective is ") + (std::isnan(iterate.f) ? "NaN" : "infinite");
  }
  std::string words = first_non_finite("constraint", iterate.c);
  if (words.empty()) words = first_non_finite("gradient", iterate.gradient);
  if (words.empty() && !iterate.jacobian.finite()) words = "the Jacobian isn't finite";
  return words;
}

}  // namespace secondorder::newton
