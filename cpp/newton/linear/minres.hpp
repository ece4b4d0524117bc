// MINRES: Paige and Saunders, "Solution of sparse indefinite systems of linear equations" (SIAM J.
// Numer. Anal. 12, 1975), for a symmetric A and a symmetric positive definite preconditioner.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/function_ref.hpp"
#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"
#include "newton/linear/preconditioner.hpp"

namespace secondorder::newton {

/// Workspace for systems of one order.
class Minres {
 public:
  using Product = FunctionRef<void(std::span<const double> v, std::span<double> out)>;

  explicit Minres(const ThreadPool& pool) : pool_(pool) {}

  /// Improves x until ‖b − Ax‖ ≤ accuracy·‖b‖. The residual vector is carried along, which costs no
  /// product; when it says so, the residual is recomputed, and where it disagrees the iteration
  /// starts anew from x. `preconditioner` may be null.
  SolveOutcome solve(Product multiply, Preconditioner* preconditioner, std::span<const double> b,
                     double accuracy, std::size_t max_steps, std::span<double> x);

 private:
  /// One Lanczos run from the residual in r_; true when the carried residual reached `target`.
  bool run(Product multiply, Preconditioner* preconditioner, double target, std::size_t& steps_left,
           std::span<double> x);
  void precondition(Preconditioner* preconditioner, std::span<const double> r,
                    std::span<double> out);

  const ThreadPool& pool_;
  std::vector<double> r_, lanczos_old_, lanczos_, image_, v_, w_, w_old_, w_older_, start_;
};

}  // namespace secondorder::newton
