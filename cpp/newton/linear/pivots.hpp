// What the pivots of Bunch and Kaufman's factorization, as LAPACK's sytrf leaves them, tell.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "newton/kkt_system.hpp"

namespace secondorder::newton {

/// Pivots up to this are zeros. Absolute: what is small against the largest pivot may well be the
/// curvature of a badly scaled problem.
inline constexpr double zero_pivot = 1e-18;

/// Of D: `rows` holds sytrf's interchanges, negative ones in pairs for the 2 × 2 pivots, and
/// `diagonal` the i-th element of D's diagonal at i·stride.
inline Inertia inertia_of_pivots(std::span<const int> rows, const double* diagonal,
                                 std::size_t stride) {
  Inertia inertia;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0) {  // a 2 × 2 pivot has one eigenvalue of either sign
      ++inertia.positive;
      ++inertia.negative;
      ++i;
      continue;
    }
    const double pivot = diagonal[i * stride];
    if (!(std::abs(pivot) > zero_pivot)) {
      ++inertia.zero;
    } else if (pivot > 0) {
      ++inertia.positive;
    } else {
      ++inertia.negative;
    }
  }
  return inertia;
}

}  // namespace secondorder::newton
