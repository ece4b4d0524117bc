#include "mfac/sliding_factor.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/row_window_kernels.hpp"

namespace secondorder::mfac {

namespace {

/// Between columns: not a multiple of a page, whose lines would share a few places in the cache.
constexpr std::size_t column_stride(std::size_t capacity) { return (capacity + 7) / 8 * 8 + 8; }

constexpr double rounding = 0x1p-50;

/// x ← L⁻¹·x, or L⁻ᵀ·x
void triangular_solve(CBLAS_TRANSPOSE transpose, std::size_t size, const double* l,
                      std::size_t stride, double* x) {
  if (size == 0) return;
  cblas_dtrsv(CblasColMajor, CblasLower, transpose, CblasNonUnit, blas::size(size), l,
              blas::size(stride), x, 1);
}

}  // namespace

SlidingFactor::SlidingFactor(std::size_t capacity)
    : capacity_(capacity),
      stride_(column_stride(capacity)),
      factor_(stride_ * capacity),
      proposed_(stride_ * capacity),
      work_(capacity + 1) {}

double SlidingFactor::estimate_bytes(double capacity) {
  return 8 * (2 * capacity * (capacity + 16) + capacity);
}

std::size_t SlidingFactor::bytes() const {
  return (factor_.size() + proposed_.size() + work_.size()) * sizeof(double);
}

void SlidingFactor::append(Columns& l, std::size_t size, std::span<const double> row,
                           double shift) {
  std::copy_n(row.begin(), size, work_.begin());
  triangular_solve(CblasNoTrans, size, l.data(), stride_, work_.data());
  double norm = 0;
  for (std::size_t j = 0; j < size; ++j) {
    at(l, size, j) = work_[j];
    norm += work_[j] * work_[j];
  }
  // A pivot within the rounding errors of its row would blow them up in the rows to come.
  const double least = std::max(shift, row[size] * rounding);
  at(l, size, size) = std::sqrt(std::max(row[size] + shift - norm, least));
}

void SlidingFactor::propose_next(std::span<const double> row, double shift) {
  const bool full = size_ == capacity_;
  const std::size_t kept = full ? size_ - 1 : size_;
  if (full) {
    for (std::size_t i = 0; i < kept; ++i) work_[i] = at(factor_, i + 1, 0);
    row_window_kernels().update_factor(kept, factor_.data() + stride_ + 1, stride_, work_.data(),
                                       proposed_.data(), stride_);
  } else {
    for (std::size_t j = 0; j < kept; ++j) {
      std::copy(&at(factor_, j, j), &at(factor_, 0, j) + kept, &at(proposed_, j, j));
    }
  }
  append(proposed_, kept, row, shift);
  proposed_size_ = kept + 1;
}

void SlidingFactor::propose(std::size_t size, double shift,
                            FunctionRef<double(std::size_t i, std::size_t j)> element) {
  for (std::size_t j = 0; j < size; ++j) {
    for (std::size_t i = j; i < size; ++i) {
      at(proposed_, i, j) = element(i, j) + (i == j ? shift : 0);
    }
  }
  proposed_size_ = size;
  if (size == 0) return;
  const int order = blas::size(size), leading = blas::size(stride_);
  int info = 0;
  dpotrf_("L", &order, proposed_.data(), &leading, &info);
  if (info == 0) return;
  // K isn't semidefinite by more than the shift, which rounding alone can bring about: row by row,
  // with the pivots that exact arithmetic would have at least.
  std::vector<double> row(size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) row[j] = element(i, j);
    append(proposed_, i, row, shift);
  }
}

void SlidingFactor::solve_last_proposed(std::span<double> x) const {
  const std::size_t last = proposed_size_ - 1;
  std::fill_n(x.begin(), last, 0.0);
  x[last] = 1 / at(proposed_, last, last);
  triangular_solve(CblasTrans, proposed_size_, proposed_.data(), stride_, x.data());
}

void SlidingFactor::solve(const Columns& l, std::size_t size, std::span<double> b) const {
  triangular_solve(CblasNoTrans, size, l.data(), stride_, b.data());
  triangular_solve(CblasTrans, size, l.data(), stride_, b.data());
}

void SlidingFactor::solve_many(std::span<double> b, std::size_t vectors) const {
  if (size_ == 0 || vectors == 0) return;
  for (const CBLAS_TRANSPOSE transpose : {CblasNoTrans, CblasTrans}) {
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, transpose, CblasNonUnit, blas::size(size_),
                blas::size(vectors), 1.0, factor_.data(), blas::size(stride_), b.data(),
                blas::size(size_));
  }
}

void SlidingFactor::accept() noexcept {
  std::swap(factor_, proposed_);
  size_ = proposed_size_;
}

std::vector<double> SlidingFactor::triangle() const {
  std::vector<double> rows;
  rows.reserve(size_ * (size_ + 1) / 2);
  for (std::size_t i = 0; i < size_; ++i) {
    for (std::size_t j = 0; j <= i; ++j) rows.push_back(at(factor_, i, j));
  }
  return rows;
}

void SlidingFactor::load(std::size_t size, std::span<const double> triangle) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) at(factor_, i, j) = triangle[next++];
  }
  size_ = size;
}

}  // namespace secondorder::mfac
