// What a run of minimize gives back.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

enum class Status {
  converged,
  locally_infeasible,  ///< a stationary point of ‖c‖ that violates the constraints
  stalled_feasible,    ///< feasible, but no step makes progress
  inertia_failed,      ///< no regularization gives a usable Newton step
  evaluation_error,    ///< an evaluation threw, or gave no finite value where one is needed
  iteration_limit,
  time_limit,
  aborted,
  unbounded,          ///< the objective falls without bound
  singular,           ///< preset 'paper': the Jacobian is nearly rank-deficient
  stalled_infeasible  ///< infeasible, not stationary, but no step makes progress
};

struct Evaluations {
  std::size_t objective = 0, gradient = 0, constraint = 0, jacobian = 0, hessian = 0,
              hessian_product = 0;
};

struct LinearReport {
  std::string solver;              ///< that the run began with
  std::string replaced_by;         ///< exact factors that 'auto' took to after failures; else empty
  std::size_t factorizations = 0;  ///< of Newton's systems
  std::size_t inner_steps = 0;     ///< of iterative solvers
  std::size_t fallbacks = 0;       ///< systems that the exact factorization had to solve
  std::size_t tightenings = 0;     ///< solves repeated to a higher accuracy
  std::string device = "cpu";      ///< that the solver ran on
  std::string device_reason = "the run ended before its first linear system";
};

/// How far a point is from a KKT point.
struct KktError {
  double stationarity = 0;   ///< ‖∇f + Jᵀλ‖∞, unscaled
  double infeasibility = 0;  ///< ‖c‖∞, unscaled
  double scaled = 0;         ///< what the tolerance is compared with
};

/// One line of the history, at the start of an iteration; the step is the one that led here.
struct Progress {
  double iteration = 0, objective = 0, stationarity = 0, infeasibility = 0, scaled_kkt = 0,
         step = 0, regularization = 0, inner_steps = 0, seconds = 0;
};

struct Result {
  Status status = Status::iteration_limit;
  std::string message;
  Vector x, lambda;      ///< of the problem as given
  double objective = 0;  ///< at x, like the errors evaluated anew; infinite where it isn't known
  KktError error;
  std::size_t iterations = 0;
  Evaluations evaluations;
  LinearReport linear;
  std::size_t restorations = 0, second_order_corrections = 0, merit_fallbacks = 0;
  double seconds = 0;
  std::vector<Progress> history;
  std::exception_ptr failure;  ///< what an evaluation threw
};

}  // namespace secondorder::newton

template <>
struct secondorder::EnumNames<secondorder::newton::Status> {
  using Status = newton::Status;
  static constexpr Named<Status> table[] = {{"converged", Status::converged},
                                            {"locally_infeasible", Status::locally_infeasible},
                                            {"stalled_feasible", Status::stalled_feasible},
                                            {"inertia_failed", Status::inertia_failed},
                                            {"evaluation_error", Status::evaluation_error},
                                            {"iteration_limit", Status::iteration_limit},
                                            {"time_limit", Status::time_limit},
                                            {"aborted", Status::aborted},
                                            {"unbounded", Status::unbounded},
                                            {"singular", Status::singular},
                                            {"stalled_infeasible", Status::stalled_infeasible}};
};
