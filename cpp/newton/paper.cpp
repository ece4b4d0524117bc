#include "newton/paper.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "newton/dense_spectrum.hpp"
#include "newton/hessian.hpp"
#include "newton/kkt_placement.hpp"
#include "newton/merit.hpp"

namespace secondorder::newton {

namespace {

/// The constants of the authors' experiments. θ = 1 throughout.
constexpr double xi_b = 0.1, nu = 1.5, armijo = 0.1, first_delta = 0.1, smallest_delta = 1e-6;
constexpr double theta = 1;
constexpr double singular = 1e-2;
/// The reduced Hessian is modified below this smallest eigenvalue.
constexpr double convex = 1e-6;
/// Sketching steps between two looks at the descent condition.
constexpr std::size_t most_steps = 100000;
constexpr double shortest_step = 1e-16;

class AdaSketchNewton {
 public:
  AdaSketchNewton(Run& run, State& state);
  End minimize();

 private:
  void regularize(double xi_j);
  void sketch();
  bool line_search();
  double trial_delta() const;

  Run& run_;
  State& state_;
  State next_;
  std::unique_ptr<LagrangianHessian> hessian_;
  std::unique_ptr<KktSolver> solver_;
  KktSystem system_;
  ExactAugmentedLagrangian merit_;
  double delta_ = first_delta, psi_ = 0, upsilon_ = 0, slope_ = 0, step_ = 0;
  Vector right_, direction_;
};

/// The KKT system's solver is that of the RK experiments unless another is asked for.
Options with_constants(Options options) {
  if (options.linear_solver == LinearSolver::automatic) {
    options.linear_solver = LinearSolver::kaczmarz;
  }
  if (options.linear.max_steps == 0) options.linear.max_steps = most_steps;
  return options;
}

AdaSketchNewton::AdaSketchNewton(Run& run, State& state) : run_(run), state_(state), next_(state) {
  const Options options = with_constants(run.options);
  Options with_entries = options;
  with_entries.linear_solver = LinearSolver::ldl;
  with_entries.bfgs_memory = 0;
  hessian_ = make_hessian(run.problem, with_entries, run.control, false);
  if (hessian_->matrix() == nullptr) {
    throw Error(ErrorCode::invalid_argument, "preset 'paper' needs a Hessian with entries",
                "preset");
  }
  system_.variables = state.at.x.size();
  system_.constraints = state.at.c.size();
  system_.hessian = hessian_->matrix();
  system_.jacobian = &state_.at.jacobian;
  system_.hessian_product = [this](std::span<const double> v, std::span<double> out) {
    hessian_->multiply(v, out);
  };
  PlacedSolver placed = place_kkt_solver({.solver = options.linear_solver,
                                          .tolerance = options.tolerance,
                                          .options = options.linear,
                                          .seed = options.seed},
                                         options.device, system_, run.pool);
  solver_ = std::move(placed.solver);
  run.record.result.linear.device = placed.device.name();
  run.record.result.linear.device_reason = placed.device.reason;
  right_.resize(system_.order());
  direction_.resize(system_.order());
}

End AdaSketchNewton::minimize() {
  Result& result = run_.record.result;
  result.linear.solver = solver_->name();
  for (;; ++result.iterations) {
    result.linear.factorizations = solver_->factorizations();
    const KktError error = run_.record.note(state_, result.linear.inner_steps);
    if (error.scaled <= run_.options.tolerance) return {Status::converged};
    if (result.iterations >= run_.options.max_iterations) return {Status::iteration_limit};
    run_.pool.checkpoint();
    if (!hessian_->update(state_.at, state_.lambda)) {
      return {Status::evaluation_error, "The Hessian of the Lagrangian isn't finite"};
    }
    const double xi_j = smallest_singular_value_squared(state_.at.jacobian);
    if (xi_j < singular) return {Status::singular};
    regularize(xi_j);
    sketch();
    if (!line_search()) {
      const bool feasible = error.infeasibility <= run_.options.tolerance;
      return {feasible ? Status::stalled_feasible : Status::stalled_infeasible};
    }
    run_.record.step = step_;
    run_.record.regularization = system_.delta_w;
    std::swap(state_, next_);
  }
}

/// B = ∇²L + tI, and what the accuracy condition is made of: Ψ, Υ and δ.
void AdaSketchNewton::regularize(double xi_j) {
  const std::size_t n = system_.variables, m = system_.constraints;
  const double size = frobenius_norm(*system_.hessian);
  const bool modify =
      m < n && smallest_reduced_eigenvalue(*system_.hessian, state_.at.jacobian) < convex;
  system_.delta_w = modify ? xi_b + size : 0;
  const double b = frobenius_norm(*system_.hessian, system_.delta_w);
  const double jacobian = norm2(state_.at.jacobian.values());
  psi_ = 20 * std::max(b * b, 1.0) / (std::min(xi_j, 1.0) * std::min(xi_b, 1.0));
  upsilon_ = std::max({jacobian, size, 1.0});
  delta_ = std::max(std::min(delta_, trial_delta()), smallest_delta);
}

double AdaSketchNewton::trial_delta() const {
  const double scale = upsilon_ * psi_;
  return (0.5 - armijo) * merit_.eta2 / ((1 + merit_.eta1 + merit_.eta2) * scale * scale);
}

/// Steps of sketch and project until ‖K‖·Ψ·‖r‖ ≤ θδ‖(∇L, c)‖, then other η and δ, until the
/// direction descends on the exact augmented Lagrangian.
void AdaSketchNewton::sketch() {
  for (std::size_t i = 0; i < state_.gradient.size(); ++i) right_[i] = -state_.gradient[i];
  for (std::size_t i = 0; i < state_.at.c.size(); ++i) {
    right_[state_.gradient.size() + i] = -state_.at.c[i];
  }
  const double b = frobenius_norm(*system_.hessian, system_.delta_w);
  const double k =
      std::sqrt(b * b + 2 * dot(state_.at.jacobian.values(), state_.at.jacobian.values()));
  LinearReport& report = run_.record.result.linear;
  const std::size_t n = system_.variables;
  solver_->prepare(system_);
  std::fill(direction_.begin(), direction_.end(), 0.0);
  merit_.update(state_, *hessian_);
  for (;;) {
    const SolveOutcome outcome = solver_->solve(right_, theta * delta_ / (k * psi_), direction_);
    report.inner_steps += outcome.steps;
    const auto whole = std::span<const double>(direction_);
    slope_ = merit_.slope(state_, whole.first(n), whole.subspan(n));
    if (merit_.descends(slope_) || !merit_.adapt()) return;
    ++report.tightenings;
    delta_ = std::max(std::min(delta_ / std::pow(nu, 4), trial_delta()), smallest_delta);
  }
}

/// Armijo's condition on the exact augmented Lagrangian, halving the step.
bool AdaSketchNewton::line_search() {
  const std::size_t n = system_.variables;
  const double start = merit_.value(state_);
  for (step_ = 1; step_ > shortest_step; step_ *= 0.5) {
    run_.pool.checkpoint();
    for (std::size_t i = 0; i < n; ++i) next_.at.x[i] = state_.at.x[i] + step_ * direction_[i];
    for (std::size_t i = 0; i < next_.lambda.size(); ++i) {
      next_.lambda[i] = state_.lambda[i] + step_ * direction_[n + i];
    }
    run_.problem.evaluate(next_.at);
    run_.problem.differentiate(next_.at);
    next_.update_gradient();
    if (merit_.value(next_) <= start + step_ * armijo * slope_) return true;  // false for NaN
  }
  return false;
}

}  // namespace

End minimize_by_paper(Run& run, State& state, std::span<const double> lambda0) {
  run.problem.measure_by_euclidean_norm();
  if (!lambda0.empty()) state.lambda.assign(lambda0.begin(), lambda0.end());
  state.update_gradient();
  return AdaSketchNewton(run, state).minimize();
}

}  // namespace secondorder::newton
