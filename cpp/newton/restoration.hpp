// Back towards the constraints: Levenberg–Marquardt on ½‖c‖², and Newton's method where that is
// slow.
#pragma once

#include "newton/feasibility_step.hpp"
#include "newton/filter.hpp"
#include "newton/multipliers.hpp"
#include "newton/newton_step.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

class Restoration {
 public:
  enum class Outcome {
    restored,    ///< a point that the filter allows, with much less violation
    feasible,    ///< a point that satisfies the constraints, which the filter need not allow
    reduced,     ///< less violation, but the filter doesn't allow the point
    stationary,  ///< infeasible, and ‖c‖ is stationary
    stalled      ///< infeasible, not stationary, and no step helps
  };

  /// The Hessian is updated to other weights.
  Restoration(ScaledProblem& problem, LagrangianHessian& hessian,
              JacobianLeastSquares& least_squares, const Options& options, ThreadPool& pool)
      : problem_(problem),
        least_squares_(least_squares),
        newton_(hessian, options.device, pool),
        tolerance_(options.tolerance),
        pool_(pool) {}

  /// Moves `state` (its point, all evaluated; not its multipliers); `spare` is workspace. `careful`
  /// begins with short steps.
  Outcome run(State& state, State& spare, const Filter& filter, bool careful = false);

  /// Whether ‖c‖ can't be reduced from here, to first order.
  bool stationary(const Iterate& iterate);

 private:
  bool levenberg_marquardt(State& state, State& spare);
  bool newton(State& state, State& spare);
  bool try_step(const Iterate& at, double length, double promised, Iterate& trial);
  double relative_gradient(const Iterate& iterate);
  /// Whether c is 0 but for what rounding may have left of its terms.
  static bool within_rounding(const Iterate& iterate);

  ScaledProblem& problem_;
  JacobianLeastSquares& least_squares_;
  FeasibilityStep newton_;
  double tolerance_;
  const ThreadPool& pool_;
  double mu_ = 0;
  double steepest_ = 0;  ///< the largest |J| so far
  Vector step_, model_;
};

}  // namespace secondorder::newton
