// A problem to minimize, out of its spec.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/run_control.hpp"
#include "callbacks.hpp"
#include "marshal.hpp"
#include "newton/finite_difference.hpp"
#include "newton/problem.hpp"

namespace secondorder::binding {

/// Made and destroyed on the JavaScript thread.
class ProblemSource {
 public:
  /// `problem` and `options` as lib/newton/native.ts declares them; the options may say how missing
  /// first derivatives are approximated, and how native problems solve their own systems.
  ProblemSource(const Fields& problem, const std::optional<Fields>& options);
  ProblemSource(const ProblemSource&) = delete;
  ProblemSource& operator=(const ProblemSource&) = delete;
  ~ProblemSource();

  newton::Problem& problem() { return *outer_; }
  /// Of problems in JavaScript at once, of native ones from begin() on.
  std::span<const double> x0() const { return x0_; }
  /// Empty where the problem gives none.
  std::span<const double> lambda0() const { return lambda0_; }
  /// Which first derivatives are finite differences.
  newton::FiniteDifferences::Missing missing() const { return missing_; }
  /// What an evaluation threw.
  const std::optional<Napi::Error>& thrown() const { return callbacks_.thrown(); }
  /// Turns counts of evaluations of problem() into counts of the functions given.
  void count_given(newton::Evaluations& counts) const;
  std::size_t bytes() const;

  /// On the JavaScript thread: the run is going to be on another one.
  void prepare_job(Napi::Env env);
  /// Around the run, on its thread.
  void begin(const RunControl& control);
  void end();

 private:
  void read_callbacks(const Fields& fields, newton::Difference difference);
  void read_start(const Fields& fields, std::size_t n, std::size_t m);

  Callbacks callbacks_;
  std::shared_ptr<CallbackExchange> exchange_;
  std::unique_ptr<newton::Problem> inner_;
  std::unique_ptr<newton::FiniteDifferences> differences_;
  newton::Problem* outer_ = nullptr;
  newton::FiniteDifferences::Missing missing_;
  std::vector<double> x0_, lambda0_;
  std::function<std::vector<double>()> start_;  // gives x0 where it is left to the problem
  const RunControl* control_ = nullptr;
  std::optional<Napi::Env> env_;

  friend class CallbackProblem;
};

}  // namespace secondorder::binding
