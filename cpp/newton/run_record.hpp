// What a run leaves behind: its history, its best iterate, its result.
#pragma once

#include <optional>
#include <string>

#include "base/run_control.hpp"
#include "newton/newton_step.hpp"
#include "newton/options.hpp"
#include "newton/result.hpp"
#include "newton/scaled_problem.hpp"

namespace secondorder::newton {

class RunRecord {
 public:
  RunRecord(ScaledProblem& problem, const Options& options, const RunControl& control)
      : problem_(problem), options_(options), control_(control) {}

  /// The step that the next noted state comes from.
  double step = 0, regularization = 0;
  /// Counts; the evaluations and the rest are filled in at the end.
  Result result;

  /// An iterate: its error, after it has been compared with the best so far, put into the history
  /// and reported.
  KktError note(const State& state, std::size_t inner_steps);

  /// Iterates so far no longer count: errors are measured in other units from now on.
  void forget_best() { best_.reset(); }

  /// The result for the best iterate, or for `chosen`, with its error evaluated anew.
  Result finish(Status status, std::string message, const State* chosen = nullptr);

 private:
  /// Lower is better: first the error that the tolerance is compared with; once that is reached,
  /// the unscaled one.
  struct Rank {
    bool unfinished = true;
    double error = 0;
    bool operator<(const Rank& other) const;
  };
  Rank rank(const KktError& error) const;
  void remember(const State& state, const KktError& error);
  bool verify(Status& status, std::string& message);

  ScaledProblem& problem_;
  const Options& options_;
  const RunControl& control_;
  std::optional<Rank> best_;
};

}  // namespace secondorder::newton
