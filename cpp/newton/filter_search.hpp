// The filter line search with second-order corrections (Wächter and Biegler, Algorithm A).
#pragma once

#include "newton/filter.hpp"
#include "newton/line_search.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

class FilterSearch final : public LineSearch {
 public:
  /// `pool` tells when to stop.
  FilterSearch(ScaledProblem& problem, std::size_t most_corrections, const ThreadPool& pool)
      : problem_(problem), most_corrections_(most_corrections), pool_(pool) {}

  bool search(const State& from, NewtonStep& step, State& to, double& length) override;

  Filter& filter() { return filter_; }
  std::size_t corrections() const { return corrections_; }

 private:
  enum class Verdict { refused, by_objective, by_filter };
  Verdict judge(const Iterate& trial, double length) const;
  Verdict try_point(const State& from, std::span<const double> direction, double length, State& to);
  Verdict try_corrections(const State& from, NewtonStep& step, State& to);
  double shortest() const;

  ScaledProblem& problem_;
  std::size_t most_corrections_;
  const ThreadPool& pool_;
  Filter filter_;
  std::size_t corrections_ = 0;
  // Of the point that the search starts from:
  double violation_ = 0, objective_ = 0, slope_ = 0;
  bool negligible_ = false;
  Vector corrected_, direction_;
};

}  // namespace secondorder::newton
