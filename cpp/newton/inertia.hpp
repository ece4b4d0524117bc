// Regularization of K until its inertia is (n, m, 0), so that the Newton step descends in the null
// space of J: δ_w from 1e-4 by factors of 100, once one was needed from a third of the last by
// factors of 8; δ_c = 1e-8 where J looks rank-deficient.
#pragma once

#include <algorithm>

#include "newton/kkt_system.hpp"

namespace secondorder::newton {

class InertiaCorrection {
 public:
  static constexpr double dual_regularization = 1e-8;

  /// A new system: unregularized, but for a floor.
  void start() {
    delta_w_ = floor_;
    delta_c_ = 0;
  }
  /// The least δ_w of the systems to come.
  void set_floor(double floor) { floor_ = std::min(floor, largest); }
  /// The inertia was wrong; false when no regularization is left to try.
  bool correct(const Inertia& got, std::size_t constraints) {
    const bool deficient = got.zero > 0 || got.negative < constraints;
    if (deficient && constraints > 0 && delta_c_ == 0) {
      delta_c_ = dual_regularization;
      return true;
    }
    return raise();
  }
  /// The solution was inaccurate although the inertia is right.
  bool stabilize(std::size_t constraints) {
    if (constraints == 0 || delta_c_ != 0) return raise();
    delta_c_ = dual_regularization;
    return true;
  }
  bool raise() {
    if (delta_w_ == 0) {
      delta_w_ = last_ == 0 ? first : std::max(smallest, last_ / 3);
    } else {
      delta_w_ *= last_ == 0 ? 100 : 8;
    }
    return delta_w_ <= largest;
  }
  /// The system was solved.
  void settle() {
    if (delta_w_ > 0) last_ = delta_w_;
  }
  double delta_w() const { return delta_w_; }
  double delta_c() const { return delta_c_; }

 private:
  static constexpr double first = 1e-4, smallest = 1e-20, largest = 1e20;
  double delta_w_ = 0, delta_c_ = 0, last_ = 0, floor_ = 0;
};

}  // namespace secondorder::newton
