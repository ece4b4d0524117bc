#include "mfac/fisher_blocks_direct.hpp"

#include <algorithm>
#include <cmath>

#include "algebra/cpu/blas.hpp"
#include "mfac/fisher_blocks_divide.hpp"
#include "mfac/fisher_blocks_factor.hpp"

namespace secondorder::mfac {

void pack(View<double> lower, double* packed) {
  for (std::size_t i = 0; i < lower.rows; ++i) {
    packed = std::copy_n(lower.row(i), i + 1, packed);
  }
}

void unpack(const double* packed, View<double> lower) {
  for (std::size_t i = 0; i < lower.rows; ++i, packed += i) {
    std::copy_n(packed, i + 1, lower.row(i));
    std::fill(lower.row(i) + i + 1, lower.row(i) + lower.cols, 0.0);
  }
}

namespace {

std::size_t factor_count(const BlockShape& shape) {
  const std::size_t last = shape.blocks() - 1;
  return last * packed_size(shape.block_size) + packed_size(shape.size(last));
}

}  // namespace

DirectBlocks::DirectBlocks(const BlockShape& shape)
    : shape_(shape),
      factors_(std::make_unique_for_overwrite<double[]>(factor_count(shape))),
      taken_(shape.blocks(), 0) {}

std::size_t DirectBlocks::planned_bytes(const BlockShape& shape) {
  return factor_count(shape) * sizeof(double) + shape.blocks() * sizeof(std::size_t);
}

std::size_t DirectBlocks::bytes() const { return planned_bytes(shape_); }

void DirectBlocks::forget_rows(std::size_t rows) {
  forgotten_ += rows;
  std::fill(taken_.begin(), taken_.end(), 0);
}

View<double> DirectBlocks::unpacked(Team& team, std::size_t block) const {
  const std::size_t size = shape_.size(block);
  const View<double> l(team.scratch(Team::factor, size * size), size, size);
  unpack(packed(block), l);
  return l;
}

void DirectBlocks::fold(Team& team, std::size_t block, const GradientStore& store, double damping) {
  const std::size_t size = shape_.size(block), first_row = taken_[block];
  const std::size_t rows = store.rows() - first_row;
  if (rows == 0) return;
  const bool started = forgotten_ + first_row > 0;
  // What was taken before stands as the rows of Lᵀ, since L·Lᵀ is its sum.
  const double* before = packed(block);
  const auto read = [&](std::size_t first, std::size_t count, double* out, std::size_t stride) {
    const std::size_t fresh = first < rows ? std::min(count, rows - first) : 0;
    if (fresh > 0) store.read(first_row + first, fresh, shape_.first(block), size, out, stride);
    for (std::size_t k = fresh; k < count; ++k) {
      const std::size_t column = first + k - rows;
      double* row = out + k * stride;
      std::fill_n(row, column, 0.0);
      for (std::size_t i = column; i < size; ++i) row[i] = before[packed_size(i) + column];
    }
  };
  const TallMatrix g{rows + (started ? size : 0), size, true, read};
  const View<double> l(team.scratch(Team::factor, size * size), size, size);
  factor_tall(team, g, damping * static_cast<double>(rows), l);
  pack(l, factors_.get() + offset(block));
  taken_[block] = store.rows();
}

/// diag_q = m·‖L⁻¹e_q‖², columns of L⁻¹ in panels: a column starts at its diagonal entry.
void DirectBlocks::diagonal(Team& team, std::size_t block, std::span<double> out) const {
  const View<double> l = unpacked(team, block);
  const std::size_t size = l.rows;
  const TriangularDivider divider(l);
  constexpr std::size_t panel = TriangularDivider::panel;
  team.pool.run(divide_up(size, panel), [&](std::size_t part, int) {
    const std::size_t first = part * panel, width = std::min(panel, size - first);
    const auto inverse = std::make_unique_for_overwrite<double[]>((size - first) * width);
    divider.inverse_panel(first, {inverse.get(), size - first, width});
    std::vector<double> sums(width, 0.0);
    for (std::size_t i = 0; i < size - first; ++i) {
      for (std::size_t j = 0; j < width; ++j) {
        sums[j] += inverse[i * width + j] * inverse[i * width + j];
      }
    }
    for (std::size_t j = 0; j < width; ++j) out[first + j] = count_ * sums[j];
  });
}

void DirectBlocks::solve(Team& team, std::size_t block, View<double> x) const {
  team.algebra.cholesky_solve(unpacked(team, block), x);
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) x.row(i)[j] *= count_;
  }
}

std::vector<double> DirectBlocks::represent(Team& team, std::size_t block, std::size_t q) const {
  std::vector<double> column(shape_.size(block), 0.0);
  column[q] = 1;
  solve(team, block, {column.data(), column.size(), 1});
  return column;
}

double DirectBlocks::element(std::size_t, std::span<const double> column, std::size_t r) const {
  return column[r];
}

}  // namespace secondorder::mfac
