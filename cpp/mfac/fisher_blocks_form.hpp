// One diagonal block H_b = λI + (1/m)·G_bᵀG_b in either of its forms, and all blocks of a form.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "algebra/cpu/tiling.hpp"
#include "algebra/view.hpp"
#include "mfac/fisher_blocks_team.hpp"
#include "mfac/gradient_store.hpp"

namespace secondorder::mfac {

/// d columns in blocks of B, of which the last may be shorter.
struct BlockShape {
  std::size_t dimension = 0;
  std::size_t block_size = 0;
  std::size_t origin = 0;  ///< column of the gradients where the first block begins

  std::size_t blocks() const { return divide_up(dimension, block_size); }
  std::size_t first(std::size_t block) const { return origin + block * block_size; }
  std::size_t size(std::size_t block) const {
    return std::min(block_size, dimension - block * block_size);
  }
};

/// Doubles of a lower triangle, row after row.
constexpr std::size_t packed_size(std::size_t order) { return order * (order + 1) / 2; }
void pack(View<double> lower, double* packed);
/// Zeros above the diagonal.
void unpack(const double* packed, View<double> lower);

/// All blocks, factored.
class BlockForm {
 public:
  virtual ~BlockForm() = default;
  /// Writes the diagonal of H_b⁻¹.
  virtual void diagonal(Team& team, std::size_t block, std::span<double> out) const = 0;
  /// x ← H_b⁻¹·x, x being B × any number of columns.
  virtual void solve(Team& team, std::size_t block, View<double> x) const = 0;
  /// What element() needs of column q of H_b⁻¹.
  virtual std::vector<double> represent(Team& team, std::size_t block, std::size_t q) const = 0;
  /// H_b⁻¹(r, q), r ≠ q.
  virtual double element(std::size_t block, std::span<const double> column,
                         std::size_t r) const = 0;
  /// Writes δ = argmin ½δᵀH_bδ with δ(removed) = −values, and returns that minimum. `removed` is
  /// ascending, within the block.
  virtual double remove(Team& team, std::size_t block, std::span<const std::uint32_t> removed,
                        std::span<const double> values, std::span<double> delta) const = 0;
  virtual std::size_t bytes() const = 0;
};

}  // namespace secondorder::mfac
