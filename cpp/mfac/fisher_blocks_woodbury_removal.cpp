// The joint removal update where blocks keep their gradients.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "algebra/cpu/blas.hpp"
#include "mfac/fisher_blocks_factor.hpp"
#include "mfac/fisher_blocks_strip.hpp"
#include "mfac/fisher_blocks_woodbury.hpp"

namespace secondorder::mfac {

/// min ½δᵀHδ over δ_K is min ‖G_Kδ_K − G_Qw_Q‖² + mλ‖δ_K‖².
double WoodburyBlocks::remove(Team& team, std::size_t block, std::span<const std::uint32_t> removed,
                              std::span<const double> values, std::span<double> delta) const {
  if (in_tail(block)) return tail_->remove(team, 0, removed, values, delta);
  const std::size_t size = shape_.size(block);
  std::vector<std::uint32_t> kept;
  kept.reserve(size - removed.size());
  std::fill(delta.begin(), delta.end(), 0.0);
  auto next = removed.begin();
  for (std::uint32_t i = 0; i < size; ++i) {
    if (next != removed.end() && *next == i) {
      delta[i] = values[static_cast<std::size_t>(next - removed.begin())];
      ++next;
    } else {
      kept.push_back(i);
    }
  }
  std::vector<double> target(rows_), fitted(rows_, 0.0);
  multiply(team, block, {delta.data(), size, 1}, {target.data(), rows_, 1});
  std::fill(delta.begin(), delta.end(), 0.0);
  if (!kept.empty()) {
    if (kept.size() < rows_) {
      minimize_few(team, block, kept, target, delta);
    } else {
      minimize_many(team, block, removed, kept, target, delta);
    }
    multiply(team, block, {delta.data(), size, 1}, {fitted.data(), rows_, 1});
  }
  double misfit = 0;
  for (std::size_t i = 0; i < rows_; ++i) {
    misfit += (target[i] - fitted[i]) * (target[i] - fitted[i]);
  }
  for (std::size_t q = 0; q < removed.size(); ++q) delta[removed[q]] = -values[q];
  double norm = 0;
  for (const double x : delta) norm += x * x;
  return 0.5 * (damping_ * norm + misfit / static_cast<double>(rows_));
}

/// |K| < m: (mλI + G_KᵀG_K)·δ_K = G_Kᵀ·target, refined once by the residual of the fit.
void WoodburyBlocks::minimize_few(Team& team, std::size_t block,
                                  std::span<const std::uint32_t> kept,
                                  std::span<const double> target, std::span<double> delta) const {
  const std::size_t count = kept.size();
  const auto memory = strip_memory(rows_, count);
  const View<double> g(memory.get(), rows_, count);
  gather(block, kept, g);
  const auto read_rows = [&](std::size_t first, std::size_t rows, double* out, std::size_t stride) {
    for (std::size_t i = 0; i < rows; ++i) std::copy_n(g.row(first + i), count, out + i * stride);
  };
  const View<double> l(team.scratch(Team::factor, count * count), count, count);
  factor_tall(team, {rows_, count, true, read_rows}, ridge_, l);
  std::vector<double> solution(count, 0.0), residual(target.begin(), target.end()), step(count);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t k = 0; k < count; ++k) step[k] = -ridge_ * solution[k];
    blas::gemv(CblasTrans, rows_, count, 1.0, g.data, count, residual.data(), 1, 1.0, step.data(),
               1);
    team.algebra.cholesky_solve(l, View<double>(step.data(), count, 1));
    blas::gemv(CblasNoTrans, rows_, count, -1.0, g.data, count, step.data(), 1, 1.0,
               residual.data(), 1);
    for (std::size_t k = 0; k < count; ++k) solution[k] += step[k];
  }
  for (std::size_t k = 0; k < count; ++k) delta[kept[k]] = solution[k];
}

/// δ_K = G_Kᵀ·y, (mλI + G_KG_Kᵀ)·y = target. Where far fewer columns go than stay, the matrix is A
/// less those that go, and what that loses to cancellation comes back by refinement; otherwise, or
/// where refinement gets nowhere, it is summed up anew.
void WoodburyBlocks::minimize_many(Team& team, std::size_t block,
                                   std::span<const std::uint32_t> removed,
                                   std::span<const std::uint32_t> kept,
                                   std::span<const double> target, std::span<double> delta) const {
  std::vector<double> memory(rows_ * rows_), column(shape_.size(block)), y(rows_);
  const View<double> a(memory.data(), rows_, rows_), x(column.data(), column.size(), 1);
  const bool few = 2 * removed.size() < kept.size();
  if (!few || !factor_difference(team, block, removed, a) ||
      !refine(team, block, a, removed, target, y)) {
    const auto read_kept = [&](std::size_t first, std::size_t count, double* out,
                               std::size_t stride) {
      gather(block, kept.subspan(first, count), {out, rows_, count, stride});
    };
    factor_tall(team, {kept.size(), rows_, false, read_kept}, ridge_, a);
    refine(team, block, a, removed, target, y);
  }
  std::fill(column.begin(), column.end(), 0.0);
  subtract(team, block, {y.data(), rows_, 1}, -1, x);
  for (const std::uint32_t k : kept) delta[k] = column[k];
}

/// The factor of A − G_QG_Qᵀ; false where rounding leaves it none.
bool WoodburyBlocks::factor_difference(Team& team, std::size_t block,
                                       std::span<const std::uint32_t> removed,
                                       View<double> a) const {
  const View<double> l = unpacked(team, block);
  team.algebra.multiply(1, l, Transpose::no, l, Transpose::yes, 0, a);
  constexpr std::size_t at_once = 512;
  for (std::size_t k = 0; k < removed.size(); k += at_once) {
    const auto part = removed.subspan(k, std::min(at_once, removed.size() - k));
    const auto memory = strip_memory(rows_, part.size());
    const View<double> g(memory.get(), rows_, part.size());
    gather(block, part, g);
    team.algebra.multiply(-1, g, Transpose::no, g, Transpose::yes, 1, a);
  }
  return team.algebra.cholesky(a);
}

/// Solves (mλI + G_KG_Kᵀ)·y = target by a factor near it, with residuals of the matrix itself;
/// false where they do not shrink.
bool WoodburyBlocks::refine(Team& team, std::size_t block, ConstView<double> factor,
                            std::span<const std::uint32_t> removed, std::span<const double> target,
                            std::span<double> y) const {
  constexpr int most_steps = 8;
  constexpr double rounding = 1e-15, good_enough = 1e-13;
  std::vector<double> column(shape_.size(block)), fit(rows_, 0.0), step(rows_);
  const View<double> x(column.data(), column.size(), 1);
  std::fill(y.begin(), y.end(), 0.0);
  double last = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < most_steps; ++pass) {
    if (pass > 0) {
      std::fill(column.begin(), column.end(), 0.0);
      subtract(team, block, {y.data(), rows_, 1}, -1, x);
      for (const std::uint32_t q : removed) column[q] = 0;
      multiply(team, block, x, {fit.data(), rows_, 1});
    }
    for (std::size_t i = 0; i < rows_; ++i) step[i] = target[i] - ridge_ * y[i] - fit[i];
    team.algebra.cholesky_solve(factor, View<double>(step.data(), rows_, 1));
    double moved = 0, norm = 0;
    for (std::size_t i = 0; i < rows_; ++i) {
      y[i] += step[i];
      moved = std::max(moved, std::abs(step[i]));
      norm = std::max(norm, std::abs(y[i]));
    }
    if (moved <= rounding * norm) return true;
    if (pass > 0 && !(2 * moved <= last)) return moved <= good_enough * norm;
    last = moved;
  }
  return last <= good_enough * largest({y.data(), rows_, 1});
}

}  // namespace secondorder::mfac
