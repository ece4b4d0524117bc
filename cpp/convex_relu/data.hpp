// The samples as the caller gave them: dense or CSR, float or double, borrowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace secondorder {

struct DataView {
  std::span<const float> values32;  ///< exactly one of the two holds the values
  std::span<const double> values64;
  std::span<const std::int32_t> columns;      ///< CSR column of each value; empty for dense data
  std::span<const std::int32_t> row_offsets;  ///< CSR, rows + 1 entries; empty for dense data
  std::span<const std::size_t> selected;      ///< rows to read, in this order; empty for all
  std::size_t rows = 0;                       ///< rows read: those selected, where some are
  std::size_t cols = 0;

  bool sparse() const { return !row_offsets.empty(); }
  double value(std::size_t index) const {
    return values64.empty() ? static_cast<double>(values32[index]) : values64[index];
  }
  /// Row k of the selection as `cols` doubles.
  void read_row(std::size_t k, double* out) const;
};

/// Rows whose weight is 0 take no part: neither in the loss nor in the patterns. Those of others.
std::vector<std::size_t> weighted_rows(const std::vector<double>& weights);

/// The data of the rows that take part, weighted_rows() of the weights; all where there are none.
/// Throws ERR_INVALID_ARGUMENT where every weight is 0.
DataView taking_part(DataView data, const std::vector<double>& weights,
                     const std::vector<std::size_t>& selected);

}  // namespace secondorder
