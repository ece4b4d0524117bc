// Small helps for work on strips of columns.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>

#include "algebra/view.hpp"

namespace secondorder::mfac {

/// max|a|
inline double largest(ConstView<double> a) {
  double most = 0;
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.cols; ++j) most = std::max(most, std::abs(a.row(i)[j]));
  }
  return most;
}

/// One strip's doubles, by whoever works on it.
inline std::unique_ptr<double[]> strip_memory(std::size_t rows, std::size_t columns) {
  return std::make_unique_for_overwrite<double[]>(rows * columns);
}

}  // namespace secondorder::mfac
