// Small constrained problems whose solutions are known, as formulas.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "newton_formula_problem.hpp"

namespace secondorder::test {

/// Points and their constraint values, as formulas take them.
template <class Real>
using Values = std::vector<Real>;

struct Hs6 {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {-1.2, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = 10.0 * (x[1] - square(x[0]));
    return square(1.0 - x[0]);
  }
};
struct Hs7 {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {2, 2}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(1.0 + square(x[0])) + square(x[1]) - 4.0;
    return log(1.0 + square(x[0])) - x[1];
  }
};
struct Hs28 {
  static constexpr std::size_t n = 3, m = 1;
  static std::vector<double> x0() { return {-4, 1, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = x[0] + 2.0 * x[1] + 3.0 * x[2] - 1.0;
    return square(x[0] + x[1]) + square(x[1] + x[2]);
  }
};
struct Hs40 {
  static constexpr std::size_t n = 4, m = 3;
  static std::vector<double> x0() { return {0.8, 0.8, 0.8, 0.8}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = x[0] * x[0] * x[0] + square(x[1]) - 1.0;
    c[1] = square(x[0]) * x[3] - x[2];
    c[2] = square(x[3]) - x[1];
    return -(x[0] * x[1] * x[2] * x[3]);
  }
};
/// Boggs and Tolle's problem 6 (HS 77).
struct BoggsTolle6 {
  static constexpr std::size_t n = 5, m = 2;
  static std::vector<double> x0() { return {2, 2, 2, 2, 2}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    using std::sin;
    const Real cubed = (x[4] - 1.0) * square(x[4] - 1.0);
    c[0] = square(x[0]) * x[3] + sin(x[3] - x[4]) - 2.0 * std::sqrt(2.0);
    c[1] = x[1] + square(square(x[2])) * square(x[3]) - 8.0 - std::sqrt(2.0);
    return square(x[0] - 1.0) + square(x[0] - x[1]) + square(x[2] - 1.0) +
           square(square(x[3] - 1.0)) + square(cubed);
  }
};
/// Full Newton steps increase f and ‖c‖ both, arbitrarily near the solution (1, 0).
struct Maratos {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {std::cos(0.7), std::sin(0.7)}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) + square(x[1]) - 1.0;
    return 2.0 * c[0] - x[0];
  }
};
/// Two copies of one constraint: J is rank-deficient everywhere.
struct RankDeficient {
  static constexpr std::size_t n = 3, m = 2;
  static std::vector<double> x0() { return {3, -1, 0.5}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) + square(x[1]) - 2.0;
    c[1] = 2.0 * c[0];
    return x[0] + x[1] + square(x[2] - 1.0);
  }
};
/// Two copies of one plane, up to rounding, and a saddle point at x₀ = 0 between two minima.
struct RoundedCopies {
  static constexpr std::size_t n = 3, m = 2;
  static std::vector<double> x0() { return {0.2, 0.1, 0.3}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = 0.3 * x[1] + 0.7 * x[2] - 1.0;
    c[1] = 0.9 * x[1] + 2.1 * x[2] - 3.0;
    return square(square(x[0])) - square(x[0]) + square(x[1] - 1.0) + square(x[2]);
  }
};
/// Starts where gradients are 10⁶ times those at the solution (1, 1, 1).
struct FarStart {
  static constexpr std::size_t n = 3, m = 2;
  static std::vector<double> x0() { return {2e3, -1e3, 3e3}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) + square(x[1]) - 2.0;
    c[1] = x[0] * x[2] - 1.0;
    return square(square(x[0] - 1.0)) + square(x[1] - 1.0) + square(square(x[2])) - 4.0 * x[2];
  }
};
/// A constraint that no x satisfies, whose gradient is 0, beside an objective that falls for ever.
struct Impossible {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {2, 2}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = 1.0;
    return log(1.0 + square(x[0])) - x[1];
  }
};
/// x² = −1: ‖c‖ is least at x = 0.
struct Infeasible {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {2, 3}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) + 1.0;
    return square(x[1] - 1.0) + x[0];
  }
};
/// Three lines that don't meet.
struct Overdetermined {
  static constexpr std::size_t n = 2, m = 3;
  static std::vector<double> x0() { return {5, -3}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = x[0] - 1.0;
    c[1] = x[1] - 1.0;
    c[2] = x[0] + x[1] - 5.0;
    return square(x[0]);
  }
};
/// More constraints than variables, which hold at (1, 2) nevertheless.
struct ConsistentOverdetermined {
  static constexpr std::size_t n = 2, m = 3;
  static std::vector<double> x0() { return {3, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = square(x[0]) - 1.0;
    c[1] = x[1] - 2.0 * x[0];
    c[2] = x[0] + x[1] - 3.0;
    return square(x[1]);
  }
};
struct Unbounded {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {1, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    c[0] = x[0] - x[1];
    return -(x[0] + square(x[1]));
  }
};
struct Rosenbrock {
  static constexpr std::size_t n = 2, m = 0;
  static std::vector<double> x0() { return {-1.2, 1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>&) {
    return 100.0 * square(x[1] - square(x[0])) + square(1.0 - x[0]);
  }
};
/// NaN where x₀ ≤ 0, which full steps reach: the minimum of x − log x on x₀ = x₁ is at 1.
struct Logarithm {
  static constexpr std::size_t n = 2, m = 1;
  static std::vector<double> x0() { return {8, 7}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>& c) {
    using std::log, std::sqrt;
    c[0] = x[0] - x[1];
    return x[0] - log(x[0]) + 0.0 * sqrt(x[1]);
  }
};
struct NotFinite {
  static constexpr std::size_t n = 1, m = 0;
  static std::vector<double> x0() { return {-1}; }
  template <class Real>
  static Real evaluate(const Values<Real>& x, Values<Real>&) {
    using std::log;
    return log(x[0]);
  }
};

}  // namespace secondorder::test
