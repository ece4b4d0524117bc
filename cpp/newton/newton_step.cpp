#include "newton/newton_step.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "newton/kkt_placement.hpp"

namespace secondorder::newton {

namespace {

/// Where the inertia is told: what factors aim at, what others do, and the residual that a step may
/// have.
constexpr double factored_accuracy = 1e-12, direct_accuracy = 1e-9, usable_residual = 1e-4;
/// Where it isn't: the first accuracy is min(loosest, √‖b‖), and falls to the tightest.
constexpr double loosest = 0.1, tightest = 1e-4, tightening = 0.1;
/// A step whose normal part is at least this share of its tangential one need not curve upwards.
constexpr double normal_share = 10;
constexpr double least_curvature = 1e-10;
constexpr int most_raises = 8;
/// Systems in a row that the chosen solver may fail on before exact factors take its place.
constexpr int most_failures = 2;
/// Steps shortened to less than this ask for regularization; the next direction is to be longer
/// than what was taken by this factor. Steps longer than `long_step` need none.
constexpr double short_step = 0.05, long_step = 0.5, growth = 4;

}  // namespace

NewtonStep::NewtonStep(LagrangianHessian& hessian, const State& pattern,
                       std::unique_ptr<KktSolver> own, const Options& options, ThreadPool& pool)
    : hessian_(hessian), options_(options), pool_(pool) {
  system_.variables = pattern.at.x.size();
  system_.constraints = pattern.at.c.size();
  system_.hessian = hessian.matrix();
  system_.jacobian = &pattern.at.jacobian;
  system_.hessian_product = [this](std::span<const double> v, std::span<double> out) {
    hessian_.multiply(v, out);
  };
  if (options.device.kind != DeviceRequest::Kind::cuda) take_own_solver(std::move(own));
  DeviceChoice device;
  if (solver_) {
    device = stay_on_cpu(options.device,
                         "this problem has a linear solver of its own, without a form for a GPU");
  } else {
    PlacedSolver placed = place_kkt_solver({.solver = options.linear_solver,
                                            .tolerance = options.tolerance,
                                            .options = options.linear,
                                            .seed = options.seed},
                                           options.device, system_, pool);
    solver_ = std::move(placed.solver);
    device = std::move(placed.device);
  }
  counts_.device = device.name();
  counts_.device_reason = device.reason;
  counts_.solver = solver_->name();
  right_.resize(system_.order());
  direction_.resize(system_.order());
  image_.resize(system_.order());
}

/// The problem's own solver need not be the one that was asked for.
void NewtonStep::take_own_solver(std::unique_ptr<KktSolver> own) {
  const LinearSolver asked = options_.linear_solver;
  if (asked == LinearSolver::automatic || asked == LinearSolver::ldl) {
    solver_ = hessian_.own_kkt_solver();
  }
  const bool asked_own =
      asked == LinearSolver::sketch_preconditioner && own && own->name() == "sketch-preconditioner";
  if (!solver_ && (asked == LinearSolver::automatic || asked_own)) solver_ = std::move(own);
}

bool NewtonStep::compute(const State& state) {
  system_.jacobian = &state.at.jacobian;
  ++system_.revision;
  for (std::size_t i = 0; i < state.gradient.size(); ++i) right_[i] = -state.gradient[i];
  for (std::size_t i = 0; i < state.at.c.size(); ++i) {
    right_[state.gradient.size() + i] = -state.at.c[i];
  }
  accuracy_ = std::max(tightest, looseness_ * std::min(loosest, std::sqrt(norm2(right_))));
  stay_exact_after_failures();
  const Attempt outcome = attempt(*solver_);
  if (outcome == Attempt::solved) return true;
  if (solve_exactly()) return true;
  // Without entries to factor, the line search judges what the solver has.
  return outcome == Attempt::unsolved && all_finite(direction_) && system_.hessian == nullptr;
}

/// Regularizes until the inertia is right, or where it isn't told the step curves upwards.
NewtonStep::Attempt NewtonStep::attempt(KktSolver& solver) {
  active_ = &solver;
  correction_.start();
  bool trusted = system_.constraints == 0;
  for (int raises = 0;;) {
    system_.delta_w = correction_.delta_w();
    system_.delta_c = correction_.delta_c();
    const std::optional<Inertia> inertia = solver.prepare(system_);
    direct_ = inertia.has_value();
    if (direct_ && *inertia != Inertia{system_.variables, system_.constraints, 0}) {
      if (!correction_.correct(*inertia, system_.constraints)) return Attempt::hopeless;
      continue;
    }
    std::fill(direction_.begin(), direction_.end(), 0.0);
    const SolveOutcome outcome = solver.solve(right_, accuracy(solver), direction_);
    if (iterates(solver)) counts_.inner_steps += outcome.steps;
    if (direct_) {
      if (usable(outcome)) {
        if (trusted || iterates(solver) || curves_upwards()) break;
        trusted = true;
        if (!hides_zeros(solver)) continue;
        correction_.stabilize(system_.constraints);
        continue;
      }
      if (!correction_.stabilize(system_.constraints)) return Attempt::hopeless;
      continue;
    }
    if (!outcome.reached) return Attempt::unsolved;
    if (curves_upwards()) break;
    if (++raises > most_raises || !correction_.raise()) return Attempt::unsolved;
  }
  correction_.settle();
  return Attempt::solved;
}

/// Whether a zero pivot of a rank-deficient J has got the right sign by rounding: the inertia is
/// another one with δ_c.
bool NewtonStep::hides_zeros(KktSolver& solver) {
  if (system_.delta_c != 0) return false;
  system_.delta_c = InertiaCorrection::dual_regularization;
  return solver.prepare(system_) != Inertia{system_.variables, system_.constraints, 0};
}

/// Whether the steps of a solve are inner iterations, not solves with factors of K.
bool NewtonStep::iterates(const KktSolver& solver) const {
  return !direct_ || solver.factorizations() == 0;
}

double NewtonStep::accuracy(const KktSolver& solver) const {
  if (!direct_) return accuracy_;
  return iterates(solver) ? direct_accuracy : factored_accuracy;
}

bool NewtonStep::usable(const SolveOutcome& outcome) const {
  const double size = norm2(right_);
  return all_finite(direction_) && outcome.residual * size <= usable_residual * std::max(1.0, size);
}

/// Δxᵀ(H + δ_w I)Δx > 0, unless Δx goes mostly across the constraints. The part of Δx outside of
/// the null space of J is at least ‖JΔx‖ / ‖J‖.
bool NewtonStep::curves_upwards() {
  const auto image = std::span(image_).first(system_.variables);
  const auto across = std::span(image_).last(system_.constraints);
  hessian_.multiply(dx(), image);
  system_.jacobian->multiply(dx(), across);
  const double length = dot(dx(), dx());
  const double curvature = dot(dx(), image) + system_.delta_w * length;
  const double jacobian = norm2(system_.jacobian->values());
  const double normal = jacobian > 0 ? std::pow(norm2(across) / jacobian, 2) : 0;
  const double tangential = std::max(0.0, length - normal);
  return tangential <= normal_share * normal || curvature >= least_curvature * tangential;
}

bool NewtonStep::correct(std::span<const double> c, Vector& direction) {
  std::copy(right_.begin(), right_.end(), image_.begin());
  for (std::size_t i = 0; i < c.size(); ++i) image_[system_.variables + i] = -c[i];
  direction.assign(direction_.begin(), direction_.end());
  if (direct_) std::fill(direction.begin(), direction.end(), 0.0);
  const SolveOutcome outcome = active_->solve(image_, accuracy(*active_), direction);
  if (iterates(*active_)) counts_.inner_steps += outcome.steps;
  return all_finite(direction);
}

bool NewtonStep::tighten() {
  if (direct_ || accuracy_ <= tightest) return false;
  accuracy_ = std::max(tightest, accuracy_ * tightening);
  ++counts_.tightenings;
  const SolveOutcome outcome = active_->solve(right_, accuracy_, direction_);
  counts_.inner_steps += outcome.steps;
  return outcome.reached && all_finite(direction_);
}

bool NewtonStep::solve_exactly() {
  if (!iterates(*active_) || system_.hessian == nullptr) return false;
  if (!exact_) exact_ = place_factorization(options_.device, system_, pool_);
  ++counts_.fallbacks;
  fell_back_ = true;
  return attempt(*exact_) == Attempt::solved;
}

/// What fails again and again costs time for nothing, where it wasn't asked for by name.
void NewtonStep::stay_exact_after_failures() {
  failures_ = std::exchange(fell_back_, false) ? failures_ + 1 : 0;
  if (failures_ < most_failures || options_.linear_solver != LinearSolver::automatic) return;
  counts_.factorizations += solver_->factorizations();
  solver_ = std::move(exact_);
  counts_.replaced_by = solver_->name();
}

/// Along Δx the model's curvature is κ; with δ_w raised by κ/s − κ the direction shrinks by about
/// s.
void NewtonStep::learn(double length, bool near) {
  if (length >= long_step) {
    correction_.set_floor(0);
    looseness_ = std::min(1.0, looseness_ / tightening);
  }
  if (length >= short_step) return;
  looseness_ = std::max(tightest, looseness_ * tightening);
  if (!near) return;
  const auto image = std::span(image_).first(system_.variables);
  hessian_.multiply(dx(), image);
  const double squared = dot(dx(), dx());
  const double curvature = dot(dx(), image) / squared + system_.delta_w;
  if (!(curvature > 0) || !std::isfinite(curvature)) return;
  correction_.set_floor(system_.delta_w + curvature * (1 / (growth * length) - 1));
}

void NewtonStep::count(LinearReport& report) const {
  report = counts_;
  report.factorizations += solver_->factorizations() + (exact_ ? exact_->factorizations() : 0);
}

}  // namespace secondorder::newton
