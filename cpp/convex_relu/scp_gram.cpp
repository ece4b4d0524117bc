#include "convex_relu/scp_gram.hpp"

#include <algorithm>
#include <cmath>

namespace secondorder::convex_relu {

namespace {

/// Samples of the columns that are brought to double at once.
constexpr std::size_t sample_block = 256;

/// Rows that are multiplied at once with all columns up to the last of them.
constexpr std::size_t row_block = 128;

}  // namespace

template <class Real>
void ScpGram<Real>::form(std::span<const std::size_t> which, std::size_t known,
                         std::span<const double> weights, HostAlgebra& host) {
  const std::size_t count = which.size(), fresh = count - known, n = columns_.rows();
  if (fresh == 0) return;
  values_.resize(stride_ * stride_);
  block_.resize(stride_ * sample_block);
  roots_.resize(n);
  for (std::size_t k = 0; k < n; ++k) roots_[k] = std::sqrt(weights[k]);
  const View<double> rows(values_.data() + known * stride_, fresh, count, stride_);
  host.fill(rows, 0);
  for (std::size_t start = 0; start < n; start += sample_block) {
    const std::size_t width = std::min(sample_block, n - start);
    host.for_rows(count, 4 * width, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        const Real* from = columns_.column(which[i]) + start;
        double* to = block_.data() + i * width;
        for (std::size_t k = 0; k < width; ++k) {
          to[k] = roots_[start + k] * static_cast<double>(from[k]);
        }
      }
    });
    const ConstView<double> all(block_.data(), count, width);
    for (std::size_t first = 0; first < fresh; first += row_block) {  // up to the diagonal
      const std::size_t height = std::min(row_block, fresh - first), last = known + first + height;
      host.multiply(1, all.block(known + first, height), Transpose::no, all.block(0, last),
                    Transpose::yes, 1, rows.block(first, height).columns(0, last));
    }
  }
  for (std::size_t j = known; j < count; ++j) {
    for (std::size_t i = 0; i < j; ++i) values_[i * stride_ + j] = values_[j * stride_ + i];
  }
}

template class ScpGram<float>;
template class ScpGram<double>;

}  // namespace secondorder::convex_relu
