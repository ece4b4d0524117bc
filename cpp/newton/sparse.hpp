// Sparse matrices of a fixed pattern, whose values are filled in at every iterate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "newton/problem.hpp"

namespace secondorder::newton {

/// Where each coordinate entry goes in a compressed pattern: lines (rows or columns) that hold the
/// sorted indices of their entries. Duplicates share a place.
class CompressedPattern {
 public:
  CompressedPattern() = default;
  /// `line[k]` and `index[k]` place the k-th coordinate entry; both must be within range.
  CompressedPattern(std::size_t lines, std::span<const std::int32_t> line,
                    std::span<const std::int32_t> index);

  std::size_t entries() const { return indices_.size(); }
  std::span<const std::int32_t> offsets() const { return offsets_; }
  std::span<const std::int32_t> indices() const { return indices_; }
  /// The place of each coordinate entry.
  std::span<const std::int32_t> places() const { return places_; }

 private:
  std::vector<std::int32_t> offsets_{0}, indices_, places_;
};

/// Compressed rows. Copies share the pattern.
class SparseMatrix {
 public:
  SparseMatrix() = default;
  /// Throws Error(invalid_argument) for a coordinate out of range or too many of them; `name` is
  /// the argument it then names, as in "jacobian".
  SparseMatrix(std::size_t rows, std::size_t cols, const Coordinates& structure, const char* name);

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t entries() const { return values_.size(); }
  std::span<const std::int32_t> offsets() const { return pattern_->offsets(); }
  std::span<const std::int32_t> columns() const { return pattern_->indices(); }
  std::span<const double> values() const { return values_; }
  std::span<double> values() { return values_; }

  /// The values in row i.
  std::span<double> row(std::size_t i) {
    const auto first = static_cast<std::size_t>(offsets()[i]);
    return values().subspan(first, static_cast<std::size_t>(offsets()[i + 1]) - first);
  }

  /// Fills in the values of the coordinate entries, scaled by row where `row_scale` isn't empty.
  void assign(std::span<const double> coordinates, std::span<const double> row_scale = {});
  /// out = A·x
  void multiply(std::span<const double> x, std::span<double> out) const;
  /// out += factor·Aᵀ·y
  void add_transposed(double factor, std::span<const double> y, std::span<double> out) const;
  bool finite() const;

 private:
  std::size_t rows_ = 0, cols_ = 0;
  std::shared_ptr<const CompressedPattern> pattern_ = std::make_shared<CompressedPattern>();
  std::vector<double> values_;
};

/// The lower triangle of a symmetric matrix by compressed columns.
class SparseSymmetric {
 public:
  SparseSymmetric() = default;
  /// Throws Error(invalid_argument) for a coordinate out of range or above the diagonal, or too
  /// many of them.
  SparseSymmetric(std::size_t order, const Coordinates& lower, const char* name);
  /// With every entry of the lower triangle in its pattern, column after column. Throws
  /// Error(out_of_memory) where that doesn't fit.
  static SparseSymmetric dense(std::size_t order);

  std::size_t order() const { return order_; }
  std::size_t entries() const { return values_.size(); }
  std::span<const std::int32_t> offsets() const { return pattern_.offsets(); }
  std::span<const std::int32_t> rows() const { return pattern_.indices(); }
  std::span<const double> values() const { return values_; }
  std::span<double> values() { return values_; }

  /// Fills in the values of the coordinate entries.
  void assign(std::span<const double> coordinates);
  /// out = A·x
  void multiply(std::span<const double> x, std::span<double> out) const;
  bool finite() const;

 private:
  std::size_t order_ = 0;
  CompressedPattern pattern_;
  std::vector<double> values_;
};

}  // namespace secondorder::newton
