// The columns aⱼ = (Z·uⱼ)₊ of the sampled convex program, one after the other in memory. Vectors
// over samples are outputs × n here, so that each output is a contiguous row.
#pragma once

#include <span>
#include <vector>

#include "algebra/cpu/cpu_algebra.hpp"
#include "convex_relu/scp_directions.hpp"

namespace secondorder::convex_relu {

template <class Real>
class ScpColumns {
 public:
  ScpColumns(std::size_t count, std::size_t rows);
  ScpColumns(const std::vector<double>& directions, const DataView& data,
             const Preprocessing& preprocessing, HostAlgebra& host);

  std::size_t count() const { return count_; }
  std::size_t rows() const { return rows_; }
  Real* column(std::size_t j) { return values_.data() + j * rows_; }
  const Real* column(std::size_t j) const { return values_.data() + j * rows_; }

  /// qⱼ = aⱼᵀν of the columns named, sums in double; q is count × outputs.
  void correlate(std::span<const std::size_t> which, ConstView<double> nu, HostAlgebra& host,
                 View<double> q) const;
  /// z = Σⱼ aⱼαⱼ over the columns named, in double; `weights` has a row of outputs for each.
  void combine(std::span<const std::size_t> which, ConstView<double> weights, HostAlgebra& host,
               View<double> z) const;
  /// Σₖ wₖ·aⱼₖ² of all columns; `weights` may be empty.
  std::vector<double> squares(std::span<const double> weights, HostAlgebra& host) const;

 private:
  std::size_t count_, rows_;
  std::vector<Real> values_;
};

}  // namespace secondorder::convex_relu
