#include "mfac/fisher_blocks_woodbury.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "algebra/cpu/blas.hpp"
#include "mfac/fisher_blocks_divide.hpp"
#include "mfac/fisher_blocks_factor.hpp"
#include "mfac/fisher_blocks_strip.hpp"

namespace secondorder::mfac {

namespace {

/// Below this 1 − ‖V_q‖² has lost digits, and is computed as a sum of squares instead.
constexpr double cancels_below = 1.0 / 1024;
/// A solution this much smaller than x/λ has lost digits, and is refined once: that leaves what the
/// condition of H makes of rounding.
constexpr double solution_cancels_below = 1.0 / 64;

/// Columns of the last block where it is in the direct form, else 0.
std::size_t tail_size(const BlockShape& shape, std::size_t rows) {
  const std::size_t last = shape.size(shape.blocks() - 1);
  return last <= rows ? last : 0;
}

}  // namespace

WoodburyBlocks::WoodburyBlocks(const BlockShape& shape, const GradientStore& store, double damping)
    : shape_(shape),
      store_(store),
      damping_(damping),
      rows_(store.rows()),
      ridge_(damping * static_cast<double>(store.rows())) {
  const std::size_t tail = tail_size(shape, rows_);
  if (tail > 0) {
    const std::size_t origin = shape.first(shape.blocks() - 1);
    tail_ = std::make_unique<DirectBlocks>(BlockShape{tail, tail, origin});
    tail_->finish(rows_);
  }
  const std::size_t blocks = shape.blocks() - (tail > 0 ? 1 : 0);
  factors_ = std::make_unique_for_overwrite<double[]>(blocks * packed_size(rows_));
}

std::size_t WoodburyBlocks::planned_bytes(const BlockShape& shape, std::size_t rows) {
  const std::size_t tail = tail_size(shape, rows);
  if (tail == 0) return shape.blocks() * packed_size(rows) * sizeof(double);
  return (shape.blocks() - 1) * packed_size(rows) * sizeof(double) +
         DirectBlocks::planned_bytes({tail, tail});
}

std::size_t WoodburyBlocks::bytes() const { return planned_bytes(shape_, rows_); }

Split WoodburyBlocks::strips(std::size_t block) const {
  constexpr std::size_t elements = 1 << 16;
  return Split::of(shape_.size(block), std::clamp<std::size_t>(elements / rows_, 64, 4096));
}

void WoodburyBlocks::read(std::size_t block, std::size_t first, std::size_t count, double* out,
                          std::size_t stride) const {
  store_.read(0, rows_, shape_.first(block) + first, count, out, stride);
}

void WoodburyBlocks::gather(std::size_t block, std::span<const std::uint32_t> columns,
                            View<double> out) const {
  for (std::size_t k = 0; k < columns.size();) {
    std::size_t run = 1;  // neighbours are read together
    while (k + run < columns.size() && columns[k + run] == columns[k] + run) ++run;
    read(block, columns[k], run, out.data + k, out.stride);
    k += run;
  }
}

View<double> WoodburyBlocks::unpacked(Team& team, std::size_t block) const {
  const View<double> l(team.scratch(Team::factor, rows_ * rows_), rows_, rows_);
  unpack(factors_.get() + block * packed_size(rows_), l);
  return l;
}

void WoodburyBlocks::factor(Team& team, std::size_t block) {
  if (in_tail(block)) {
    tail_->fold(team, 0, store_, damping_);
    return;
  }
  const auto read_columns = [&](std::size_t first, std::size_t count, double* out,
                                std::size_t stride) { read(block, first, count, out, stride); };
  const View<double> l(team.scratch(Team::factor, rows_ * rows_), rows_, rows_);
  factor_tall(team, {shape_.size(block), rows_, false, read_columns}, ridge_, l);
  pack(l, factors_.get() + block * packed_size(rows_));
}

void WoodburyBlocks::diagonal(Team& team, std::size_t block, std::span<double> out) const {
  if (in_tail(block)) {
    tail_->diagonal(team, 0, out);
    return;
  }
  const View<double> l = unpacked(team, block);
  const TriangularDivider divider(l);
  const Split split = strips(block);
  team.pool.run(split.parts, [&](std::size_t part, int) {
    const std::size_t first = split.begin(part), count = split.end(part) - first;
    const auto v = strip_memory(rows_, count);
    read(block, first, count, v.get(), count);
    divider.divide_left({v.get(), rows_, count});
    double* sums = out.data() + first;
    std::fill_n(sums, count, 1.0);
    for (std::size_t i = 0; i < rows_; ++i) {
      const double* row = v.get() + i * count;
      for (std::size_t j = 0; j < count; ++j) sums[j] -= row[j] * row[j];
    }
  });
  std::vector<std::uint32_t> cancelled;
  for (std::size_t q = 0; q < out.size(); ++q) {
    if (!(out[q] >= cancels_below)) cancelled.push_back(static_cast<std::uint32_t>(q));
    out[q] /= damping_;
  }
  constexpr std::size_t at_once = 64;
  for (std::size_t k = 0; k < cancelled.size(); k += at_once) {
    const std::size_t count = std::min(at_once, cancelled.size() - k);
    refine_diagonal(team, block, l, std::span(cancelled).subspan(k, count), out);
  }
}

/// E − GᵀY for a strip of columns of G that begins at `first`.
void WoodburyBlocks::strip_residual(ConstView<double> g, std::size_t first,
                                    std::span<const std::uint32_t> columns, ConstView<double> y,
                                    View<double> r) {
  blas::gemm(CblasTrans, CblasNoTrans, r.rows, r.cols, y.rows, -1.0, g.data, g.stride, y.data,
             y.stride, 0.0, r.data, r.stride);
  for (std::size_t q = 0; q < columns.size(); ++q) {
    if (columns[q] >= first && columns[q] < first + r.rows) r.row(columns[q] - first)[q] += 1;
  }
}

void WoodburyBlocks::refine_columns(Team& team, std::size_t block, ConstView<double> l,
                                    std::span<const std::uint32_t> columns, View<double> y) const {
  const Split split = strips(block);
  const std::size_t groups = std::min(team.parts(), split.parts), size = y.size();
  const Split grouped = {split.parts, groups};
  std::vector<double> sums(groups * size, 0.0);
  team.pool.run(groups, [&](std::size_t group, int) {
    const auto g_memory = strip_memory(rows_, split.longest());
    const auto r_memory = strip_memory(split.longest(), y.cols);
    for (std::size_t part = grouped.begin(group); part < grouped.end(group); ++part) {
      team.pool.checkpoint();
      const std::size_t first = split.begin(part), width = split.end(part) - first;
      const View<double> g(g_memory.get(), rows_, width), r(r_memory.get(), width, y.cols);
      read(block, first, width, g.data, width);
      strip_residual(g, first, columns, y, r);
      blas::gemm(CblasNoTrans, CblasNoTrans, rows_, y.cols, width, 1.0, g.data, width, r.data,
                 r.stride, 1.0, sums.data() + group * size, y.cols);
    }
  });
  for (std::size_t group = 1; group < groups; ++group) {
    for (std::size_t i = 0; i < size; ++i) sums[i] += sums[group * size + i];
  }
  for (std::size_t i = 0; i < size; ++i) sums[i] -= ridge_ * y.data[i];
  const View<double> step(sums.data(), y.rows, y.cols);
  team.algebra.cholesky_solve(l, step);
  team.algebra.axpby(1, step, 1, y);
}

/// λ·diag_q = min ‖e_q − G_bᵀy‖² + mλ‖y‖², at y = A⁻¹G_q: a sum of squares, in which errors of y
/// count by their squares alone. Few columns can need it: Σ‖V_q‖² ≤ m.
void WoodburyBlocks::refine_diagonal(Team& team, std::size_t block, ConstView<double> l,
                                     std::span<const std::uint32_t> columns,
                                     std::span<double> out) const {
  const std::size_t count = columns.size();
  std::vector<double> memory(rows_ * count);
  const View<double> y(memory.data(), rows_, count);
  gather(block, columns, y);
  team.algebra.cholesky_solve(l, y);
  refine_columns(team, block, l, columns, y);
  const Split split = strips(block);
  std::vector<double> sums(split.parts * count, 0.0);
  team.pool.run(split.parts, [&](std::size_t part, int) {
    const std::size_t first = split.begin(part), width = split.end(part) - first;
    const auto g_memory = strip_memory(rows_, width), r_memory = strip_memory(width, count);
    const View<double> g(g_memory.get(), rows_, width), r(r_memory.get(), width, count);
    read(block, first, width, g.data, width);
    strip_residual(g, first, columns, y, r);
    double* partial = sums.data() + part * count;
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t q = 0; q < count; ++q) partial[q] += r.row(i)[q] * r.row(i)[q];
    }
  });
  for (std::size_t q = 0; q < count; ++q) {
    double sum = 0;
    for (std::size_t part = 0; part < split.parts; ++part) sum += sums[part * count + q];
    for (std::size_t i = 0; i < rows_; ++i) sum += ridge_ * y.row(i)[q] * y.row(i)[q];
    out[columns[q]] = sum / damping_;
  }
}

void WoodburyBlocks::multiply(Team& team, std::size_t block, ConstView<double> x,
                              View<double> u) const {
  const Split split = strips(block);
  const std::size_t groups = std::min(team.parts(), split.parts);
  const std::size_t size = rows_ * x.cols;
  std::vector<double> sums(groups * size, 0.0);
  const Split grouped = {split.parts, groups};
  team.pool.run(groups, [&](std::size_t group, int) {
    const auto g = strip_memory(rows_, split.longest());
    for (std::size_t part = grouped.begin(group); part < grouped.end(group); ++part) {
      team.pool.checkpoint();
      const std::size_t first = split.begin(part), count = split.end(part) - first;
      read(block, first, count, g.get(), count);
      blas::multiply_columns(CblasNoTrans, rows_, x.cols, count, 1.0, g.get(), count, x.row(first),
                             x.stride, 1.0, sums.data() + group * size, x.cols);
    }
  });
  for (std::size_t i = 0; i < rows_; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) {
      double sum = 0;
      for (std::size_t group = 0; group < groups; ++group) {
        sum += sums[group * size + i * x.cols + j];
      }
      u.row(i)[j] = sum;
    }
  }
}

void WoodburyBlocks::subtract(Team& team, std::size_t block, ConstView<double> u, double scale,
                              View<double> x) const {
  const Split split = strips(block);
  team.pool.run(split.parts, [&](std::size_t part, int) {
    const std::size_t first = split.begin(part), count = split.end(part) - first;
    const auto g = strip_memory(rows_, count);
    read(block, first, count, g.get(), count);
    for (std::size_t i = first; i < first + count; ++i) {
      for (std::size_t j = 0; j < x.cols; ++j) x.row(i)[j] *= scale;
    }
    blas::multiply_columns(CblasTrans, count, x.cols, rows_, -scale, g.get(), count, u.data,
                           u.stride, 1.0, x.row(first), x.stride);
  });
}

void WoodburyBlocks::solve(Team& team, std::size_t block, View<double> x) const {
  if (in_tail(block)) {
    tail_->solve(team, 0, x);
    return;
  }
  const View<double> l = unpacked(team, block);
  std::vector<double> memory(rows_ * x.cols);
  const View<double> u(memory.data(), rows_, x.cols);
  const auto apply = [&](View<double> b) {
    multiply(team, block, b, u);
    team.algebra.cholesky_solve(l, u);
    subtract(team, block, u, 1 / damping_, b);
  };
  std::vector<double> right(x.size());
  const View<double> b(right.data(), x.rows, x.cols);
  team.algebra.copy(x, b);
  const double before = largest(x);
  apply(x);
  if (largest(x) * damping_ >= solution_cancels_below * before) return;
  // b − H·x = b − λx − Gᵀ(G·x)/m
  multiply(team, block, x, u);
  for (double& value : memory) value /= static_cast<double>(rows_);
  team.algebra.axpby(-damping_, x, 1, b);
  subtract(team, block, u, 1, b);
  apply(b);
  team.algebra.axpby(1, b, 1, x);
}

/// A⁻¹G_q
std::vector<double> WoodburyBlocks::represent(Team& team, std::size_t block, std::size_t q) const {
  if (in_tail(block)) return tail_->represent(team, 0, q);
  std::vector<double> y(rows_);
  read(block, q, 1, y.data(), 1);
  team.algebra.cholesky_solve(unpacked(team, block), View<double>(y.data(), rows_, 1));
  return y;
}

double WoodburyBlocks::element(std::size_t block, std::span<const double> column,
                               std::size_t r) const {
  if (in_tail(block)) return tail_->element(0, column, r);
  std::vector<double> g(rows_);
  read(block, r, 1, g.data(), 1);
  return -std::inner_product(g.begin(), g.end(), column.begin(), 0.0) / damping_;
}

}  // namespace secondorder::mfac
