// A random sample with its preprocessing, as the tests of what happens before training take it.
#pragma once

#include <cstdint>
#include <vector>

#include "convex_relu/preprocessing.hpp"
#include "test_support.hpp"

namespace secondorder::test {

/// Dense float64 rows, or CSR ones after sparse().
struct SampleData {
  std::size_t rows, cols;
  std::vector<double> values;
  std::vector<std::int32_t> columns, offsets;

  /// `draw(random, column)` gives each value.
  template <class Draw>
  SampleData(std::size_t n, std::size_t d, Random& random, Draw draw) : rows(n), cols(d) {
    for (std::size_t i = 0; i < n * d; ++i) values.push_back(draw(random, i % d));
  }
  DataView view() const {
    DataView v;
    v.values64 = values;
    v.columns = columns;
    v.row_offsets = offsets;
    v.rows = rows;
    v.cols = cols;
    return v;
  }
  SampleData sparse() const {
    SampleData s = *this;
    s.values.clear();
    s.offsets.push_back(0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != 0) {
        s.values.push_back(values[i]);
        s.columns.push_back(static_cast<std::int32_t>(i % cols));
      }
      if (i % cols == cols - 1) s.offsets.push_back(static_cast<std::int32_t>(s.values.size()));
    }
    return s;
  }
};

}  // namespace secondorder::test
