// Short vector arithmetic, in one order for any number of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "base/finite.hpp"

namespace secondorder::newton {

/// √(a² + b²) without overflow; std::hypot would ask for glibc 2.35.
inline double length(double a, double b) {
  const double larger = std::max(std::abs(a), std::abs(b));
  if (larger == 0 || !std::isfinite(larger)) return larger + std::abs(a) + std::abs(b);
  const double x = a / larger, y = b / larger;
  return larger * std::sqrt(x * x + y * y);
}

using Vector = std::vector<double>;

inline double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
inline double norm2(std::span<const double> a) { return std::sqrt(dot(a, a)); }
inline double norm1(std::span<const double> a) {
  double sum = 0;
  for (const double value : a) sum += std::abs(value);
  return sum;
}
/// NaN where any entry is.
inline double norm_inf(std::span<const double> a) {
  double largest = 0;
  for (const double value : a) {
    if (std::isnan(value)) return std::numeric_limits<double>::quiet_NaN();
    if (std::abs(value) > largest) largest = std::abs(value);
  }
  return largest;
}
/// y += factor·x
inline void add(double factor, std::span<const double> x, std::span<double> y) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}

}  // namespace secondorder::newton
