// Whether numbers are finite.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace secondorder {

inline bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}
inline bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

}  // namespace secondorder
