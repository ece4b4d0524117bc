#include "newton/linear/hadamard.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "algebra/cpu/tiling.hpp"
#include "newton/linear/team_products.hpp"

namespace secondorder::newton {

namespace {

/// Columns that are transformed together, in a copy that stays in the second-level cache.
constexpr std::size_t strip = 16;

void butterflies(View<double> a) {
  for (std::size_t half = 1; half < a.rows; half *= 2) {
    for (std::size_t first = 0; first < a.rows; first += 2 * half) {
      for (std::size_t i = first; i < first + half; ++i) {
        double* top = a.row(i);
        double* bottom = a.row(i + half);
        for (std::size_t j = 0; j < a.cols; ++j) {
          const double sum = top[j] + bottom[j];
          bottom[j] = top[j] - bottom[j];
          top[j] = sum;
        }
      }
    }
  }
}

}  // namespace

void hadamard_columns(ThreadPool& pool, View<double> a) {
  const Split split = Split::of(a.cols, strip);
  const double scale = 1 / std::sqrt(static_cast<double>(a.rows));
  const double operations = 20 * static_cast<double>(a.size());
  for_tasks(pool, split.parts, operations, [&](std::size_t part) {
    const std::size_t first = split.begin(part), count = split.end(part) - first;
    std::vector<double> copy(a.rows * count);
    for (std::size_t i = 0; i < a.rows; ++i) {
      std::copy_n(a.row(i) + first, count, copy.data() + i * count);
    }
    butterflies({copy.data(), a.rows, count});
    for (std::size_t i = 0; i < a.rows; ++i) {
      for (std::size_t j = 0; j < count; ++j) a.row(i)[first + j] = scale * copy[i * count + j];
    }
  });
}

}  // namespace secondorder::newton
