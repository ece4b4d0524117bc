// The static algorithm of M-FAC (arXiv 2107.03356, section 3.1): from gradients g₁ … g_m of a loss,
//
//   H = λI + (1/m)·Σ gᵢgᵢᵀ   on diagonal blocks of B columns, 0 elsewhere,
//
// the diagonal and the elements of H⁻¹, its products, and what pruning needs of it. Blocks of
// B ≤ m columns keep the factor of λm·I + G_bᵀG_b (fisher_blocks_direct.hpp), larger ones the
// gradients and the factor of mλI + G_bG_bᵀ (fisher_blocks_woodbury.hpp); all of it in float64,
// from gradients in float32 or bfloat16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "base/function_ref.hpp"
#include "base/run_control.hpp"
#include "mfac/fisher_blocks_direct.hpp"
#include "mfac/fisher_blocks_form.hpp"
#include "mfac/fisher_blocks_woodbury.hpp"
#include "mfac/gradient_store.hpp"

namespace secondorder::mfac {

struct FisherBlocksOptions {
  std::size_t dimension = 0;   ///< d
  std::size_t block_size = 0;  ///< B; 0 is d, one block
  double damping = 0;          ///< λ
  GradientStorage storage = GradientStorage::automatic;
  std::size_t expected = 0;  ///< gradients to come, 0 where nobody knows
  std::string directory;     ///< of temporary files, TMPDIR when empty
  std::size_t memory = 0;    ///< bytes to plan with, those that the machine has where 0
};

class Teams;

enum class BlocksForm { direct, woodbury };

/// Not for two threads at once. Methods throw ERR_NOT_FITTED where factor() must come first,
/// ERR_NUMERICAL where what they are asked for is not finite, and Cancelled where `control` asks to
/// stop; the object is then as it was before.
class FisherBlocks {
 public:
  /// Throws ERR_INVALID_ARGUMENT for sizes or damping out of range, and ERR_OUT_OF_MEMORY where
  /// `expected` gradients would fit nowhere.
  explicit FisherBlocks(FisherBlocksOptions options);
  ~FisherBlocks();
  FisherBlocks(const FisherBlocks&) = delete;
  FisherBlocks& operator=(const FisherBlocks&) = delete;

  /// Copies gradients in, rows × d. True when fold() is due, which frees the rows held so far.
  /// Throws ERR_DIMENSION_MISMATCH, ERR_INVALID_ARGUMENT with the position of a NaN or infinity,
  /// and ERR_OUT_OF_MEMORY, with nothing added.
  bool add(std::span<const float> gradients, std::size_t rows);
  /// Takes the gradients held into the blocks' factors where that is due, else does nothing.
  void fold(const RunControl& control);
  /// Ends the set-up. Throws ERR_NOT_FITTED without a gradient, ERR_OUT_OF_MEMORY before it starts.
  void factor(const RunControl& control);
  bool factored() const { return form_ != nullptr; }

  /// The diagonal of H⁻¹.
  std::span<const double> diagonal() const;
  /// H⁻¹(i, j). Walks along a row or a column take O(m) or O(1) an element after the first.
  double element(std::size_t i, std::size_t j, const RunControl& control);
  /// out = H⁻¹x for `count` vectors, row after row.
  template <class Real>
  void solve(std::span<const Real> x, std::size_t count, std::span<Real> out,
             const RunControl& control);
  /// Writes to `delta`, in the blocks that are touched, the change of weights that removing the
  /// entries at `positions` (ascending) with these values asks for: joint, or the sum of what each
  /// for itself asks for. Returns the increase of the loss: ½δᵀHδ, or the sum of each alone.
  double remove(std::span<const std::uint32_t> positions, std::span<const double> values,
                bool joint, std::span<double> delta, const RunControl& control);

  std::size_t dimension() const { return shape_.dimension; }
  std::size_t block_size() const { return shape_.block_size; }
  double damping() const { return options_.damping; }
  std::size_t gradients() const { return gradients_; }
  BlocksForm form() const;
  GradientStorage storage() const { return store_.storage(); }
  /// Memory held, files not counted.
  std::size_t bytes() const;
  std::size_t disk_bytes() const { return store_.disk_bytes(); }
  bool paged() const { return disk_bytes() > 0; }

 private:
  std::size_t held_rows() const;
  std::size_t fold_limit() const;
  std::size_t memory() const;
  bool foldable() const { return gradients_ >= shape_.block_size; }
  std::size_t factor_bytes(std::size_t m, int threads) const;
  GradientStorage choose_storage() const;
  void require_factor_memory(int threads) const;
  [[noreturn]] void refuse(std::span<const float> gradients, std::size_t at) const;
  void begin_folding(const RunControl& control);
  void fold_rows(const RunControl& control);
  void require_factored() const;
  /// body(team, block) for some blocks or for all of them.
  void for_blocks(std::span<const std::size_t> blocks, const RunControl& control,
                  FunctionRef<void(Team&, std::size_t)> body);
  void for_blocks(const RunControl& control, FunctionRef<void(Team&, std::size_t)> body);

  FisherBlocksOptions options_;
  BlockShape shape_;
  GradientStore store_;
  std::size_t gradients_ = 0;
  std::unique_ptr<DirectBlocks> folding_;
  std::unique_ptr<BlockForm> form_;
  std::vector<double> diagonal_;
  std::vector<double> column_;  ///< what element() last needed of a column of H⁻¹
  std::size_t column_index_ = 0;
  std::unique_ptr<Teams> teams_;
};

}  // namespace secondorder::mfac

namespace secondorder {

template <>
struct EnumNames<mfac::BlocksForm> {
  static constexpr Named<mfac::BlocksForm> table[] = {{"direct", mfac::BlocksForm::direct},
                                                      {"woodbury", mfac::BlocksForm::woodbury}};
};

}  // namespace secondorder
