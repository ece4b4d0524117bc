// Given derivatives against central differences of the functions they are derivatives of.
#pragma once

#include <span>
#include <vector>

#include "base/enum_names.hpp"
#include "newton/problem.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

enum class Derivative { gradient, jacobian, hessian };

/// An entry of a derivative, what the problem gives for it and what the difference is. `column` is
/// 0 in the gradient. An entry that differs outside of the given structure is given as 0.
struct DerivativeEntry {
  Derivative derivative = Derivative::gradient;
  std::size_t row = 0, column = 0;
  double given = 0, difference = 0;
  /// |given − difference| / max(1, |given|, |difference|); infinite where either isn't finite.
  double error = 0;
};

struct DerivativeReport {
  /// The largest error of each kind, 0 where there is nothing to check, infinite where something
  /// could not be.
  double gradient_error = 0, jacobian_error = 0, hessian_error = 0;
  /// Entries whose error is above the tolerance and above what rounding explains, worst first.
  std::vector<DerivativeEntry> wrong;
  std::size_t wrong_entries = 0;  ///< all of them, where `wrong` holds the worst only
};

struct DerivativeCheck {
  double tolerance = 1e-5;
  std::size_t most_entries = 20;  ///< that the report lists
  bool gradient = true, jacobian = true, hessian = true;
};

/// Checks at x (n finite values); the Hessian is that of f + lambdaᵀc, against differences of the
/// given gradient and Jacobian. `pool` tells when to stop: then it throws Cancelled.
DerivativeReport check_derivatives(Problem& problem, std::span<const double> x,
                                   std::span<const double> lambda, const DerivativeCheck& check,
                                   const ThreadPool& pool);

}  // namespace secondorder::newton

template <>
struct secondorder::EnumNames<secondorder::newton::Derivative> {
  using Derivative = newton::Derivative;
  static constexpr Named<Derivative> table[] = {{"gradient", Derivative::gradient},
                                                {"jacobian", Derivative::jacobian},
                                                {"hessian", Derivative::hessian}};
};
