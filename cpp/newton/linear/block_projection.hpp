// What projections onto k sketched equations share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algebra/philox.hpp"
#include "algebra/view.hpp"
#include "base/thread_pool.hpp"
#include "newton/linear/kkt_rows.hpp"

namespace secondorder::newton {

/// Rows of a sketch, where none were asked for: d/8, from 1 to `most`.
std::size_t usual_sketch_size(std::size_t asked, std::size_t order, std::size_t most);

/// The Cholesky factor of a Gram matrix whose lower triangle is given, in place. Where the sketched
/// rows are dependent a multiple of I joins, too small to hurt a projection.
void factor_gram(View<double> gram);
/// right ← (L·Lᵀ)⁻¹·right
void solve_gram(ConstView<double> factor, std::span<double> right);

/// Uniform k-subsets of {0, …, n − 1}, one after another.
class Subsets {
 public:
  Subsets(std::size_t n, const Philox& random);
  /// The next subset, valid until the next call.
  std::span<const std::uint32_t> draw(std::size_t count);

 private:
  std::vector<std::uint32_t> items_;
  Philox random_;
  std::uint64_t drawn_ = 0;
};

/// A set of rows with the factor of their Gram matrix.
struct RowBlock {
  std::vector<std::uint32_t> rows;
  std::vector<double> factor;  ///< k × k

  RowBlock(const RowMatrix& matrix, std::span<const std::uint32_t> chosen);
  std::size_t size() const { return rows.size(); }
  /// w = Aᵀ(AAᵀ)⁻¹(Ax − b) for the rows A of the block; returns ‖Ax − b‖².
  double direction(const RowMatrix& matrix, std::span<const double> b, std::span<const double> x,
                   std::span<double> w) const;
};

/// H·D·K for signs D, with rows of zeros added to make them 2^p, and the same of right-hand sides.
class HadamardRows {
 public:
  explicit HadamardRows(ThreadPool& pool) : pool_(pool), rows_(pool) {}
  void prepare(const KktSystem& system, const Philox& signs);
  const RowMatrix& rows() const { return rows_; }
  std::vector<double> transform(std::span<const double> b) const;

 private:
  ThreadPool& pool_;
  RowMatrix rows_;
  std::vector<double> values_, signs_;
};

}  // namespace secondorder::newton
