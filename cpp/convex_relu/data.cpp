#include "convex_relu/data.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace secondorder {

void DataView::read_row(std::size_t k, double* out) const {
  const std::size_t source = selected.empty() ? k : selected[k];
  if (!sparse()) {
    for (std::size_t j = 0; j < cols; ++j) out[j] = value(source * cols + j);
    return;
  }
  std::fill_n(out, cols, 0.0);
  const auto first = static_cast<std::size_t>(row_offsets[source]);
  const auto last = static_cast<std::size_t>(row_offsets[source + 1]);
  for (std::size_t e = first; e < last; ++e) out[static_cast<std::size_t>(columns[e])] += value(e);
}

std::vector<std::size_t> weighted_rows(const std::vector<double>& weights) {
  std::vector<std::size_t> rows;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    if (weights[k] > 0) rows.push_back(k);
  }
  return rows;
}

DataView taking_part(DataView data, const std::vector<double>& weights,
                     const std::vector<std::size_t>& selected) {
  if (!weights.empty() && selected.size() < data.rows) {
    data.selected = selected;
    data.rows = selected.size();
  }
  if (data.rows == 0) {
    throw Error(ErrorCode::invalid_argument, "sampleWeights: every weight is 0", "sampleWeights");
  }
  return data;
}

}  // namespace secondorder
