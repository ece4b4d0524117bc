// The joint removal update where blocks keep the factor of m·H = L·Lᵀ: the least squares problem
// min ‖Lᵀδ‖²/2m, over δ_K by the rows L_K, or over the multipliers by T = L⁻¹E_Q, whichever are
// fewer. One step of refinement corrects for the squared condition of the normal equations.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "algebra/cpu/blas.hpp"
#include "mfac/fisher_blocks_direct.hpp"
#include "mfac/fisher_blocks_factor.hpp"

namespace secondorder::mfac {

namespace {

/// ‖v‖²
double squared_norm(std::span<const double> v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return sum;
}

/// The rows of `l` that are not in `removed`, and those that are.
struct Rows {
  std::vector<std::size_t> kept;
  std::vector<std::size_t> gone;

  Rows(std::size_t size, std::span<const std::uint32_t> removed)
      : gone(removed.begin(), removed.end()) {
    auto next = gone.begin();
    for (std::size_t i = 0; i < size; ++i) {
      if (next != gone.end() && *next == i) {
        ++next;
      } else {
        kept.push_back(i);
      }
    }
  }
};

/// δ_K = −(L_K·L_Kᵀ)⁻¹·L_K·r, into `delta`; `residual` begins as Lᵀδ with δ_K = 0, and ends as Lᵀδ.
void minimize_over_kept(Team& team, ConstView<double> l, const std::vector<std::size_t>& kept,
                        std::vector<double>& residual, std::span<double> delta) {
  const std::size_t count = kept.size();
  if (count == 0) return;
  const auto read = [&](std::size_t first, std::size_t samples, double* out, std::size_t stride) {
    for (std::size_t k = 0; k < count; ++k) {
      std::copy_n(l.row(kept[k]) + first, samples, out + k * stride);
    }
  };
  const View<double> factor(team.scratch(Team::factor, count * count), count, count);
  factor_tall(team, {l.rows, count, false, read}, 0, factor);
  for (const std::size_t k : kept) delta[k] = 0;
  std::vector<double> step(count);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t k = 0; k < count; ++k) {
      const double* row = l.row(kept[k]);
      step[k] = 0;
      for (std::size_t s = 0; s <= kept[k]; ++s) step[k] -= row[s] * residual[s];
    }
    team.algebra.cholesky_solve(factor, View<double>(step.data(), count, 1));
    for (std::size_t k = 0; k < count; ++k) {
      const double* row = l.row(kept[k]);
      for (std::size_t s = 0; s <= kept[k]; ++s) residual[s] += row[s] * step[k];
      delta[kept[k]] += step[k];
    }
  }
}

/// Returns Lᵀδ = −T·z, (TᵀT)·z = w_Q.
std::vector<double> minimize_over_multipliers(Team& team, ConstView<double> l,
                                              const std::vector<std::size_t>& gone,
                                              std::span<const double> values) {
  const std::size_t size = l.rows, count = gone.size();
  std::vector<double> t(size * count, 0.0), residual(size, 0.0);
  for (std::size_t q = 0; q < count; ++q) t[gone[q] * count + q] = 1;
  const View<double> columns(t.data(), size, count);
  team.algebra.lower_solve(l, columns);
  const auto read = [&](std::size_t first, std::size_t samples, double* out, std::size_t stride) {
    for (std::size_t k = 0; k < samples; ++k) {
      std::copy_n(columns.row(first + k), count, out + k * stride);
    }
  };
  const View<double> factor(team.scratch(Team::factor, count * count), count, count);
  factor_tall(team, {size, count, true, read}, 0, factor);
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<double> step(values.begin(), values.end());  // w_Q + Tᵀ·residual
    blas::gemv(CblasTrans, size, count, 1.0, t.data(), count, residual.data(), 1, 1.0, step.data(),
               1);
    team.algebra.cholesky_solve(factor, View<double>(step.data(), count, 1));
    blas::gemv(CblasNoTrans, size, count, -1.0, t.data(), count, step.data(), 1, 1.0,
               residual.data(), 1);
  }
  return residual;
}

}  // namespace

double DirectBlocks::remove(Team& team, std::size_t block, std::span<const std::uint32_t> removed,
                            std::span<const double> values, std::span<double> delta) const {
  // Kept apart from the scratch that factor_tall() works in.
  const std::size_t size = shape_.size(block);
  const auto memory = std::make_unique_for_overwrite<double[]>(size * size);
  const View<double> l(memory.get(), size, size);
  unpack(packed(block), l);
  const Rows rows(size, removed);
  double loss = 0;
  if (rows.kept.size() <= rows.gone.size()) {
    std::vector<double> residual(size, 0.0);
    for (std::size_t q = 0; q < rows.gone.size(); ++q) {
      const double* row = l.row(rows.gone[q]);
      for (std::size_t s = 0; s <= rows.gone[q]; ++s) residual[s] -= row[s] * values[q];
    }
    minimize_over_kept(team, l, rows.kept, residual, delta);
    loss = squared_norm(residual) / (2 * count_);
  } else {
    std::vector<double> residual = minimize_over_multipliers(team, l, rows.gone, values);
    loss = squared_norm(residual) / (2 * count_);
    blas::trsv(CblasTrans, size, l.data, l.stride, residual.data(), 1);
    std::copy(residual.begin(), residual.end(), delta.begin());
  }
  for (std::size_t q = 0; q < rows.gone.size(); ++q) delta[rows.gone[q]] = -values[q];
  return loss;
}

}  // namespace secondorder::mfac
