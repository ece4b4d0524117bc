// B > m: each block by the gradients themselves and the factor of A = mλI + G_bG_bᵀ, m × m:
//
//   H_b⁻¹x = λ⁻¹(x − G_bᵀA⁻¹G_b x),   diag_q = λ⁻¹(1 − ‖V_q‖²),  V = L⁻¹G_b,  A = L·Lᵀ.
//
// A shorter last block of no more than m columns is in the direct form: there A has no more than
// mλ in most directions, and everything would cancel.
#pragma once

#include "mfac/fisher_blocks_direct.hpp"
#include "mfac/fisher_blocks_form.hpp"

namespace secondorder::mfac {

class WoodburyBlocks final : public BlockForm {
 public:
  /// The store stays as it is for as long as this lives.
  WoodburyBlocks(const BlockShape& shape, const GradientStore& store, double damping);
  static std::size_t planned_bytes(const BlockShape& shape, std::size_t rows);

  void factor(Team& team, std::size_t block);

  void diagonal(Team& team, std::size_t block, std::span<double> out) const override;
  void solve(Team& team, std::size_t block, View<double> x) const override;
  std::vector<double> represent(Team& team, std::size_t block, std::size_t q) const override;
  double element(std::size_t block, std::span<const double> column, std::size_t r) const override;
  double remove(Team& team, std::size_t block, std::span<const std::uint32_t> removed,
                std::span<const double> values, std::span<double> delta) const override;
  std::size_t bytes() const override;

 private:
  /// Columns of G_b, read at once.
  Split strips(std::size_t block) const;
  void read(std::size_t block, std::size_t first, std::size_t count, double* out,
            std::size_t stride) const;
  /// Columns of a block, in any order, as the columns of `out`.
  void gather(std::size_t block, std::span<const std::uint32_t> columns, View<double> out) const;
  View<double> unpacked(Team& team, std::size_t block) const;
  /// u = G_b·x
  void multiply(Team& team, std::size_t block, ConstView<double> x, View<double> u) const;
  /// x ← scale·(x − G_bᵀ·u)
  void subtract(Team& team, std::size_t block, ConstView<double> u, double scale,
                View<double> x) const;
  static void strip_residual(ConstView<double> g, std::size_t first,
                             std::span<const std::uint32_t> columns, ConstView<double> y,
                             View<double> r);
  /// Y += A⁻¹·(G_b·(E − G_bᵀY) − mλY), E being these columns of the identity.
  void refine_columns(Team& team, std::size_t block, ConstView<double> l,
                      std::span<const std::uint32_t> columns, View<double> y) const;
  void refine_diagonal(Team& team, std::size_t block, ConstView<double> l,
                       std::span<const std::uint32_t> columns, std::span<double> out) const;
  void minimize_few(Team& team, std::size_t block, std::span<const std::uint32_t> kept,
                    std::span<const double> target, std::span<double> delta) const;
  void minimize_many(Team& team, std::size_t block, std::span<const std::uint32_t> removed,
                     std::span<const std::uint32_t> kept, std::span<const double> target,
                     std::span<double> delta) const;
  bool factor_difference(Team& team, std::size_t block, std::span<const std::uint32_t> removed,
                         View<double> a) const;
  bool refine(Team& team, std::size_t block, ConstView<double> factor,
              std::span<const std::uint32_t> removed, std::span<const double> target,
              std::span<double> y) const;

  bool in_tail(std::size_t block) const { return tail_ && block == shape_.blocks() - 1; }

  BlockShape shape_;
  const GradientStore& store_;
  double damping_;
  std::size_t rows_;
  double ridge_;  ///< mλ
  std::unique_ptr<double[]> factors_;
  std::unique_ptr<DirectBlocks> tail_;
};

}  // namespace secondorder::mfac
