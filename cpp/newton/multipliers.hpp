// Least-squares problems with the Jacobian, as quasi-definite KKT systems with H = 0 or I:
// multipliers, min ‖∇f + Jᵀλ‖, and Levenberg–Marquardt steps, min ‖c + Js‖² + μ‖s‖².
#pragma once

#include <memory>
#include <span>

#include "device/request.hpp"
#include "newton/kkt_system.hpp"
#include "newton/scaled_problem.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

class JacobianLeastSquares {
 public:
  /// For Jacobians with the pattern of `iterate`'s, by the problem's own solver or, where that is
  /// null, by factors, on `device` where they are large.
  JacobianLeastSquares(const Iterate& iterate, std::unique_ptr<KktSolver> own,
                       const DeviceRequest& device, ThreadPool& pool);

  /// lambda; 0 where the least-squares multipliers aren't finite or larger than 1e3.
  void multipliers(const Iterate& iterate, std::span<double> lambda);
  /// False where the step isn't finite.
  bool levenberg_marquardt(const Iterate& iterate, double mu, std::span<double> step);
  std::size_t factorizations() const { return solver_->factorizations(); }

 private:
  SparseSymmetric zero_;  // no entries: the identity is δ_w
  KktSystem system_;
  std::unique_ptr<KktSolver> solver_;
  Vector right_, solution_;
};

}  // namespace secondorder::newton
