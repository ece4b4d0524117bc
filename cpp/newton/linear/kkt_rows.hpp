// The rows of a matrix with as many columns as K has: K itself, dense or compressed, or a transform
// of it. What row-action methods are written against.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algebra/view.hpp"
#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"
#include "newton/linear/dense_kkt.hpp"

namespace secondorder::newton {

/// Rows in memory, dense ones borrowed.
class RowMatrix {
 public:
  explicit RowMatrix(ThreadPool& pool) : pool_(pool) {}
  void set_dense(ConstView<double> rows);
  /// K's rows, lower and upper part, compressed. Needs the entries of the Hessian.
  void set_compressed(const KktSystem& system);

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }

  /// aᵢ·x
  double dot(std::size_t i, std::span<const double> x) const;
  /// x += alpha·aᵢ
  void add(std::size_t i, double alpha, std::span<double> x) const;
  double squares(std::size_t i) const { return squares_[i]; }

  /// out_k = aᵢ·x for the k-th of `rows`
  void dots(std::span<const std::uint32_t> rows, std::span<const double> x,
            std::span<double> out) const;
  /// out = Σ c_k·aᵢ
  void combine(std::span<const std::uint32_t> rows, std::span<const double> c,
               std::span<double> out) const;
  /// The lower triangle of the Gram matrix of these rows.
  void gram(std::span<const std::uint32_t> rows, View<double> out) const;
  /// out += weight·aᵢ in row k of `out`, for each (i, k, weight) in turn: a sparse sketch.
  void scatter(std::span<const std::uint32_t> target, std::span<const double> weight,
               View<double> out) const;
  /// out = S·A for a dense S.
  void mix(ConstView<double> s, View<double> out) const;

 private:
  bool dense() const { return offsets_.empty(); }
  void measure();

  ThreadPool& pool_;
  std::size_t rows_ = 0, cols_ = 0;
  ConstView<double> dense_;
  std::vector<std::size_t> offsets_;
  std::vector<std::int32_t> columns_;
  std::vector<double> values_, squares_;
};

/// K's rows, in whichever form is quicker.
class KktRows {
 public:
  explicit KktRows(ThreadPool& pool) : dense_(pool), rows_(pool) {}
  void prepare(const KktSystem& system);
  /// The same, dense in any case.
  void prepare_dense(const KktSystem& system);
  const RowMatrix& rows() const { return rows_; }
  ConstView<double> matrix() const { return dense_.matrix(); }

 private:
  DenseKkt dense_;
  RowMatrix rows_;
};

}  // namespace secondorder::newton
