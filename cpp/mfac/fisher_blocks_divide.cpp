#include "mfac/fisher_blocks_divide.hpp"

#include <algorithm>
#include <cmath>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"

namespace secondorder::mfac {

namespace {

/// The inverse of a lower triangle in place: that of its halves, and −L₂₂⁻¹·L₂₁·L₁₁⁻¹ between them.
void invert(View<double> l) {
  constexpr std::size_t small = 16;
  const std::size_t n = l.rows;
  if (n <= small) {
    for (std::size_t i = 0; i < n; ++i) {
      double sums[small] = {};
      for (std::size_t k = 0; k < i; ++k) {
        for (std::size_t j = 0; j <= k; ++j) sums[j] += l.row(i)[k] * l.row(k)[j];
      }
      const double scale = 1 / l.row(i)[i];
      for (std::size_t j = 0; j < i; ++j) l.row(i)[j] = -scale * sums[j];
      l.row(i)[i] = scale;
    }
    return;
  }
  const std::size_t half = round_up(n / 2, small), rest = n - half;
  const View<double> first = l.block(0, half).columns(0, half);
  const View<double> between = l.block(half, rest).columns(0, half);
  const View<double> second = l.block(half, rest).columns(half, rest);
  invert(first);
  invert(second);
  double product[TriangularDivider::panel * TriangularDivider::panel];
  blas::gemm(CblasNoTrans, CblasNoTrans, rest, half, half, 1.0, between.data, l.stride, first.data,
             l.stride, 0.0, product, half);
  blas::gemm(CblasNoTrans, CblasNoTrans, rest, half, rest, -1.0, second.data, l.stride, product,
             half, 0.0, between.data, l.stride);
}

}  // namespace

bool small_cholesky(View<double> a) {
  constexpr std::size_t small = 16;
  const std::size_t n = a.rows;
  if (n <= small) {
    for (std::size_t j = 0; j < n; ++j) {
      double pivot = a.row(j)[j];
      for (std::size_t k = 0; k < j; ++k) pivot -= a.row(j)[k] * a.row(j)[k];
      if (!(pivot > 0) || !std::isfinite(pivot)) return false;
      const double root = std::sqrt(pivot);
      a.row(j)[j] = root;
      for (std::size_t i = j + 1; i < n; ++i) {
        double sum = a.row(i)[j];
        for (std::size_t k = 0; k < j; ++k) sum -= a.row(i)[k] * a.row(j)[k];
        a.row(i)[j] = sum / root;
      }
    }
    return true;
  }
  constexpr std::size_t panel = TriangularDivider::panel;
  const std::size_t half = std::min(panel, round_up(n / 2, small)), rest = n - half;
  const View<double> first = a.block(0, half).columns(0, half);
  const View<double> below = a.block(half, rest).columns(0, half);
  const View<double> second = a.block(half, rest).columns(half, rest);
  if (!small_cholesky(first)) return false;
  TriangularDivider(first).divide_right(below);
  for (std::size_t i = 0; i < rest; i += panel) {  // the lower triangle of second −= below·belowᵀ
    const std::size_t count = std::min(panel, rest - i);
    blas::gemm(CblasNoTrans, CblasTrans, count, i + count, half, -1.0, below.row(i), a.stride,
               below.data, a.stride, 1.0, second.row(i), a.stride);
  }
  return small_cholesky(second);
}

TriangularDivider::TriangularDivider(ConstView<double> l)
    : l_(l), inverses_(std::make_unique_for_overwrite<double[]>(l.rows * panel)) {
  for (std::size_t first = 0; first < l.rows; first += panel) {
    double* block = inverses_.get() + first * panel;
    const std::size_t count = width(first);
    for (std::size_t i = 0; i < count; ++i) {
      std::copy_n(l.row(first + i) + first, i + 1, block + i * panel);
      std::fill(block + i * panel + i + 1, block + i * panel + panel, 0.0);
    }
    invert({block, count, count, panel});
  }
}

std::size_t TriangularDivider::width(std::size_t first) const {
  return std::min(panel, l_.rows - first);
}

void TriangularDivider::divide_left(View<double> b) const {
  const auto scratch = std::make_unique_for_overwrite<double[]>(panel * b.cols);
  for (std::size_t first = 0; first < l_.rows; first += panel) {
    if (first > 0) {
      blas::gemm(CblasNoTrans, CblasNoTrans, width(first), b.cols, first, -1.0, l_.row(first),
                 l_.stride, b.data, b.stride, 1.0, b.row(first), b.stride);
    }
    const std::size_t count = width(first);
    blas::gemm(CblasNoTrans, CblasNoTrans, count, b.cols, count, 1.0, inverse(first), panel,
               b.row(first), b.stride, 0.0, scratch.get(), b.cols);
    for (std::size_t i = 0; i < count; ++i) {
      std::copy_n(scratch.get() + i * b.cols, b.cols, b.row(first + i));
    }
  }
}

void TriangularDivider::divide_right(View<double> b) const {
  const auto scratch = std::make_unique_for_overwrite<double[]>(panel * b.rows);
  for (std::size_t first = 0; first < l_.rows; first += panel) {
    const std::size_t count = width(first);
    if (first > 0) {
      blas::gemm(CblasNoTrans, CblasTrans, b.rows, count, first, -1.0, b.data, b.stride,
                 l_.row(first), l_.stride, 1.0, b.data + first, b.stride);
    }
    blas::gemm(CblasNoTrans, CblasTrans, b.rows, count, count, 1.0, b.data + first, b.stride,
               inverse(first), panel, 0.0, scratch.get(), count);
    for (std::size_t i = 0; i < b.rows; ++i) {
      std::copy_n(scratch.get() + i * count, count, b.row(i) + first);
    }
  }
}

void TriangularDivider::inverse_panel(std::size_t first, View<double> out) const {
  const auto scratch = std::make_unique_for_overwrite<double[]>(panel * out.cols);
  for (std::size_t i = 0; i < out.cols; ++i) {
    std::copy_n(inverse(first) + i * panel, out.cols, out.row(i));
  }
  // Row r of `out` is row first + r of the inverse.
  for (std::size_t row = first + panel; row < l_.rows; row += panel) {
    const std::size_t count = width(row), above = row - first;
    blas::gemm(CblasNoTrans, CblasNoTrans, count, out.cols, above, -1.0, l_.row(row) + first,
               l_.stride, out.data, out.stride, 0.0, scratch.get(), out.cols);
    blas::gemm(CblasNoTrans, CblasNoTrans, count, out.cols, count, 1.0, inverse(row), panel,
               scratch.get(), out.cols, 0.0, out.row(above), out.stride);
  }
}

}  // namespace secondorder::mfac
