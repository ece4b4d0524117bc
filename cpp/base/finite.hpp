// Whether numbers are finite, and the first that is not.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace secondorder {

/// Index of the first entry that is NaN or infinite, or `count`: one with an exponent of nothing
/// but ones, which one more carries into the sign. Integers, for compilers make vectors of that.
template <class Number>
std::size_t first_non_finite(const Number* values, std::size_t count) {
  using Bits = std::conditional_t<sizeof(Number) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits one = Bits{1} << (std::numeric_limits<Number>::digits - 1);
  constexpr Bits sign = Bits{1} << (8 * sizeof(Number) - 1);
  Bits carried = 0;
  for (std::size_t j = 0; j < count; ++j) {
    carried |= (std::bit_cast<Bits>(values[j]) & (sign - one)) + one;
  }
  if ((carried & sign) == 0) return count;
  return static_cast<std::size_t>(
      std::find_if(values, values + count, [](Number x) { return !std::isfinite(x); }) - values);
}

inline bool all_finite(std::span<const double> values) {
  return first_non_finite(values.data(), values.size()) == values.size();
}
inline bool all_finite(std::span<const float> values) {
  return first_non_finite(values.data(), values.size()) == values.size();
}

}  // namespace secondorder
