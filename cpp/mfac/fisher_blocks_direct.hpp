// B ≤ m: each block as the factor of λm·I + G_bᵀG_b, B × B. Gradients go in in any number of parts,
// and are not needed afterwards.
#pragma once

#include "mfac/fisher_blocks_form.hpp"

namespace secondorder::mfac {

class DirectBlocks final : public BlockForm {
 public:
  explicit DirectBlocks(const BlockShape& shape);
  static std::size_t planned_bytes(const BlockShape& shape);

  /// Takes in rows of the store that the block has not taken yet, each with `damping` on the
  /// diagonal. Done again after a cancelled run, it goes on where that one ended.
  void fold(Team& team, std::size_t block, const GradientStore& store, double damping);
  /// The store is about to forget its rows, which all blocks have taken.
  void forget_rows(std::size_t rows);
  std::size_t folded() const { return forgotten_; }
  /// Fixes m.
  void finish(std::size_t count) { count_ = static_cast<double>(count); }

  void diagonal(Team& team, std::size_t block, std::span<double> out) const override;
  void solve(Team& team, std::size_t block, View<double> x) const override;
  std::vector<double> represent(Team& team, std::size_t block, std::size_t q) const override;
  double element(std::size_t block, std::span<const double> column, std::size_t r) const override;
  double remove(Team& team, std::size_t block, std::span<const std::uint32_t> removed,
                std::span<const double> values, std::span<double> delta) const override;
  std::size_t bytes() const override;

 private:
  const double* packed(std::size_t block) const { return factors_.get() + offset(block); }
  std::size_t offset(std::size_t block) const { return block * packed_size(shape_.block_size); }
  View<double> unpacked(Team& team, std::size_t block) const;

  BlockShape shape_;
  std::unique_ptr<double[]> factors_;
  std::vector<std::size_t> taken_;  ///< rows of the store, by block
  std::size_t forgotten_ = 0;       ///< rows taken before those in the store
  double count_ = 0;
};

}  // namespace secondorder::mfac
