// Newton's step on ½‖c‖²: the Hessian of the constraints matters where the violation stays.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "device/request.hpp"
#include "newton/hessian.hpp"
#include "newton/inertia.hpp"
#include "newton/kkt_system.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

/// Solves [Σcᵢ∇²cᵢ + δI, Jᵀ; J, −I]·[s; c + Js] = [0; −c] with δ large enough for descent.
class FeasibilityStep {
 public:
  /// Large dense factors are on `device`.
  FeasibilityStep(LagrangianHessian& hessian, DeviceRequest device, ThreadPool& pool)
      : hessian_(hessian), device_(std::move(device)), pool_(pool) {}
  /// False where there is none: the Hessian has no entries, or isn't finite.
  bool compute(const Iterate& iterate, std::span<double> step);

 private:
  void set_up(const Iterate& iterate);

  LagrangianHessian& hessian_;
  DeviceRequest device_;
  ThreadPool& pool_;
  KktSystem system_;
  std::unique_ptr<KktSolver> solver_;
  InertiaCorrection correction_;
  Vector right_, solution_;
};

}  // namespace secondorder::newton
