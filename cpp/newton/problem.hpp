// What is to be minimized: f(x) subject to c(x) = 0, with n variables and m constraints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "newton/linear_solver.hpp"

namespace secondorder {
class RunControl;
class ThreadPool;
}  // namespace secondorder

namespace secondorder::newton {

class KktSolver;

/// Positions of the entries of a sparse matrix. Entries at the same place add up.
struct Coordinates {
  std::vector<std::int32_t> rows, cols;
  std::size_t size() const { return rows.size(); }
};

/// What is known of the Hessian of the Lagrangian, σ∇²f + Σ λᵢ∇²cᵢ: its entries, its products with
/// vectors, or nothing (then BFGS approximates it).
enum class HessianForm { values, product, none };

/// What a run of minimize tells the problem that it works on.
struct RunSetting {
  ThreadPool& pool;                                      ///< that evaluations may work with
  LinearSolver linear_solver = LinearSolver::automatic;  ///< the one asked for
  KktSolverOptions linear = {};
  std::uint64_t seed = 0;               ///< of whatever is random
  const RunControl* control = nullptr;  ///< may stop what takes many evaluations: throw Cancelled
};

/// Evaluations may throw secondorder::Error(ErrorCode::evaluation), which ends the run with the
/// best iterate, and may give values that aren't finite, from which the line search backs off.
/// They are called one at a time.
class Problem {
 public:
  Problem() = default;
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;
  virtual ~Problem() = default;

  virtual std::size_t variables() const = 0;
  virtual std::size_t constraints() const = 0;

  /// Of the m × n Jacobian of c; called once.
  virtual Coordinates jacobian_structure() const { return {}; }
  virtual HessianForm hessian_form() const = 0;
  /// Of the lower triangle (row ≥ column) of the n × n Hessian of the Lagrangian; called once,
  /// where the form is `values`.
  virtual Coordinates hessian_structure() const { return {}; }

  /// Whether evaluations work with a team of threads even where there are few variables.
  virtual bool threaded() const { return false; }
  /// A run begins: its setting holds until end(). Called before structures are asked for.
  virtual void begin(const RunSetting& /*setting*/) {}
  virtual void end() {}
  /// A solver made for the KKT systems of this problem, which 'auto' then takes, or null. Called
  /// within a run.
  virtual std::unique_ptr<KktSolver> own_kkt_solver();

  virtual double objective(std::span<const double> x) = 0;
  /// out: n
  virtual void gradient(std::span<const double> x, std::span<double> out) = 0;
  /// out: m
  virtual void constraint(std::span<const double> /*x*/, std::span<double> /*out*/) {}
  /// out: one value for each of jacobian_structure()
  virtual void jacobian_values(std::span<const double> /*x*/, std::span<double> /*out*/) {}
  /// out: one value for each of hessian_structure(), of sigma·∇²f + Σ lambda_i·∇²c_i
  virtual void hessian_values(std::span<const double> /*x*/, double /*sigma*/,
                              std::span<const double> /*lambda*/, std::span<double> /*out*/) {
    throw Error(ErrorCode::internal, "the problem gives no entries of its Hessian");
  }
  /// out = (sigma·∇²f + Σ lambda_i·∇²c_i)·v
  virtual void hessian_product(std::span<const double> /*x*/, double /*sigma*/,
                               std::span<const double> /*lambda*/, std::span<const double> /*v*/,
                               std::span<double> /*out*/) {
    throw Error(ErrorCode::internal, "the problem gives no products with its Hessian");
  }
};

}  // namespace secondorder::newton
