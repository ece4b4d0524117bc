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

/// A problem between begin() and end().
class BegunProblem {
 public:
  BegunProblem(Problem& problem, const RunSetting& setting) : problem_(problem) {
    problem.begin(setting);
  }
  BegunProblem(const BegunProblem&) = delete;
  BegunProblem& operator=(const BegunProblem&) = delete;
  ~BegunProblem() { problem_.end(); }

 private:
  Problem& problem_;
};

struct Run {
  const Options& options;
  const RunControl& control;
  ThreadPool pool;
  BegunProblem begun;
  ScaledProblem problem;
  RunRecord record;

  Run(Problem& given, const Options& run_options, const RunControl& run_control);

  /// x0 with everything evaluated there, multipliers 0; until an iterate is noted, the result.
  State first_state(std::span<const double> x0);
  /// The result of `algorithm`, however it ends.
  Result conclude(const std::function<End()>& algorithm);
};

}  // namespace secondorder::newton
