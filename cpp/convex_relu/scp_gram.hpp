// AᵀHA over some columns of a sampled convex program, H a diagonal over the samples, in double.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "convex_relu/scp_columns.hpp"

namespace secondorder::convex_relu {

/// Columns of a working set, at most: a Gram matrix takes their square.
inline constexpr std::size_t most_working_columns = 2048;

template <class Real>
class ScpGram {
 public:
  explicit ScpGram(const ScpColumns<Real>& columns)
      : columns_(columns), stride_(std::min(columns.count(), most_working_columns)) {}

  std::size_t capacity() const { return stride_; }
  const double* row(std::size_t i) const { return values_.data() + i * stride_; }

  /// Forms the rows and columns of `which` from number `known` on; those before are there already,
  /// for the same weights of the samples, ≥ 0.
  void form(std::span<const std::size_t> which, std::size_t known, std::span<const double> weights,
            HostAlgebra& host);

 private:
  const ScpColumns<Real>& columns_;
  std::size_t stride_;
  std::vector<double> values_, block_, roots_;
};

}  // namespace secondorder::convex_relu
