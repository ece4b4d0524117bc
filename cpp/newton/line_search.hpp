// How far to go along a Newton direction.
#pragma once

#include "newton/newton_step.hpp"

namespace secondorder::newton {

class LineSearch {
 public:
  LineSearch() = default;
  LineSearch(const LineSearch&) = delete;
  LineSearch& operator=(const LineSearch&) = delete;
  virtual ~LineSearch() = default;

  /// Looks for an acceptable point along the direction of `step`, which is taken at `from` with the
  /// Hessian there. Leaves it in `to`, all evaluated, and the length of the step in `length`; false
  /// where there is none.
  virtual bool search(const State& from, NewtonStep& step, State& to, double& length) = 0;
};

}  // namespace secondorder::newton
