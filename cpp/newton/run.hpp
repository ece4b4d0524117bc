// What one run of minimize works with, whichever the algorithm.
#pragma once

#include <functional>
#include <string>

#include "base/run_control.hpp"
#include "base/thread_pool.hpp"
#include "newton/newton_step.hpp"
#include "newton/run_record.hpp"
#include "newton/scaled_problem.hpp"

namespace secondorder::newton {

/// How an algorithm ended.
struct End {
  Status status;
  std::string message = {};       ///< empty: the usual words for the status
  const State* chosen = nullptr;  ///< the iterate to return; null: the best
};

struct Run {
  const Options& options;
  const RunControl& control;
  ThreadPool pool;
  ScaledProblem problem;
  RunRecord record;

  Run(Problem& given, const Options& run_options, const RunControl& run_control);

  /// x0 with everything evaluated there, multipliers 0; until an iterate is noted, the result.
  State first_state(std::span<const double> x0);
  /// The result of `algorithm`, however it ends.
  Result conclude(const std::function<End()>& algorithm);
};

}  // namespace secondorder::newton
