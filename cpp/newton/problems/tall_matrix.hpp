// A data matrix with many more rows than columns, dense or compressed by rows, and the products
// that losses over its rows are made of. Sums are cut by shape alone: any number of threads gives
// the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "algebra/philox.hpp"
#include "algebra/view.hpp"
#include "base/thread_pool.hpp"

namespace secondorder::newton {

/// X, samples × features.
struct TallMatrix {
  std::size_t rows = 0, cols = 0;
  std::vector<double> values;             ///< row after row; of the entries where sparse
  std::vector<std::int32_t> columns;      ///< of the entries, where sparse
  std::vector<std::int32_t> row_offsets;  ///< rows + 1 where sparse, else empty

  bool sparse() const { return !row_offsets.empty(); }
  std::size_t entries() const { return values.size(); }

  /// Throws Error(dimension_mismatch | invalid_argument), naming `argument`, for arrays that don't
  /// fit together, indices out of range and values that aren't finite.
  void check(const char* argument) const;
  /// Sorts the entries of each sparse row by their columns; weighted_gram() expects it.
  void sort_rows();

  /// X ← diag(factors)·X
  void scale_rows(std::span<const double> factors);
  /// out = X·w
  void multiply(ThreadPool& pool, std::span<const double> w, std::span<double> out) const;
  /// out = Xᵀ·p
  void multiply_transposed(ThreadPool& pool, std::span<const double> p,
                           std::span<double> out) const;
  /// The lower triangle of out = Xᵀ·diag(weights)·X; weights ≥ 0.
  void weighted_gram(ThreadPool& pool, std::span<const double> weights, View<double> out) const;
  /// out = S·diag(scale)·X for a CountSketch S: row i joins one of out.rows sums with a sign.
  void count_sketch(ThreadPool& pool, std::span<const double> scale, const Philox& random,
                    View<double> out) const;
  /// Floating-point operations of weighted_gram().
  double gram_cost() const;

 private:
  void dense_gram(ThreadPool& pool, std::span<const double> weights, View<double> out) const;
  void sparse_gram(ThreadPool& pool, std::span<const double> weights, View<double> out) const;
  /// target += alpha·xᵢ
  void add_row(std::size_t i, double alpha, double* target) const;
};

}  // namespace secondorder::newton
