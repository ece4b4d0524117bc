// The filter of Fletcher and Leyffer, as in Wächter and Biegler (Math. Program. 106, 2006): pairs
// of violation θ = ‖c‖₁ and objective f that no later iterate may be worse than in both.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace secondorder::newton {

class Filter {
 public:
  static constexpr double violation_margin = 1e-5, objective_margin = 1e-8;

  /// Bounds on the violation, from that of the first iterate.
  void start(double violation) {
    entries_.clear();
    most_ = 1e4 * std::max(1.0, violation);
    small_ = 1e-4 * std::max(1.0, violation);
  }
  /// Below this violation, steps that descend enough are judged by the objective alone.
  double small_violation() const { return small_; }
  bool allows(double violation, double objective) const {
    // What rounding may add to the objective.
    const double slack =
        10 * std::numeric_limits<double>::epsilon() * std::max(1.0, std::abs(objective));
    if (!(violation <= most_)) return false;
    return std::none_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return violation >= entry.violation && objective - slack >= entry.objective;
    });
  }
  /// Keeps later iterates away from this one.
  void add(double violation, double objective) {
    entries_.push_back(
        {(1 - violation_margin) * violation, objective - objective_margin * violation});
  }
  void clear() { entries_.clear(); }

 private:
  struct Entry {
    double violation, objective;
  };
  std::vector<Entry> entries_;
  double most_ = 0, small_ = 0;
};

}  // namespace secondorder::newton
