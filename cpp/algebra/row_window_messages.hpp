// What a window of rows says of numbers it can't take, the same on every device.
#pragma once

#include <string>

#include "algebra/row_window.hpp"

namespace secondorder {

/// Of entry `index` of g, which is at `position` in the whole vector. The argument is `gradient`.
inline std::string refused_candidate(const HostVector& g, std::size_t index, std::size_t position) {
  const double value =
      std::visit([&](const auto& values) { return static_cast<double>(values[index]); }, g);
  return "gradient must be finite float32 numbers, but entry " + std::to_string(position) + " is " +
         std::to_string(value);
}

inline constexpr const char* combination_beyond_float32 =
    "The solution has entries beyond the range of float32: damping is too small";

}  // namespace secondorder
