// A window whose columns are cut into shards, each a window of its own on a device of its own:
//
//        columns   0 … c₁    c₁ … c₂   c₂ …
//        G =     [ shard 0 | shard 1 | shard 2 ]
//
// G·x is the sum of the shards' products, added in their order; Gᵀ·c and rows are put together from
// theirs. All shards work at the same time.
#pragma once

#include <functional>
#include <vector>

#include "algebra/row_layout.hpp"
#include "algebra/row_window.hpp"

namespace secondorder {

class ShardedRowWindow final : public RowWindow {
 public:
  using MakeShard =
      std::function<std::unique_ptr<RowWindow>(std::size_t index, RowWindowShape shape)>;

  /// `shards` of nearly equal size, each of whole blocks of columns; fewer where there are fewer
  /// blocks. Passes on what `make` throws.
  ShardedRowWindow(RowWindowShape shape, std::size_t shards, const MakeShard& make);

  std::size_t shards() const { return shards_.size(); }

  const RowWindowShape& shape() const override { return shape_; }
  void watch(const RunControl* control) override;

  void propose(const HostVector& g, std::size_t used) override;
  void propose_part(std::size_t offset, const HostVector& part, std::size_t used) override;
  double candidate_products(std::span<double> products) override;
  void accept(std::size_t slot) noexcept override;
  void discard() noexcept override;

  void products(std::span<const HostVector> x, std::size_t used, std::span<double> y) override;
  void combine(std::span<const Combination> combinations) override;

  void read_row(std::size_t slot, std::span<double> values) const override;
  std::size_t row_bytes() const override;
  void export_row(std::size_t slot, std::span<std::byte> bytes) const override;
  void import_row(std::size_t slot, std::span<const std::byte> bytes) override;

  std::size_t window_bytes() const override;
  std::size_t bytes() const override;

 private:
  struct Shard {
    std::unique_ptr<RowWindow> rows;
    std::size_t first_column, columns;
    std::size_t first_position, positions;  ///< its part of the host's vectors
    RowLayout layout;
  };

  /// body(index, shard) for all shards at once, each on a thread of its own; throws what the first
  /// of those that failed has thrown.
  void all(const std::function<void(std::size_t, const Shard&)>& body) const;
  /// A shard's bytes of a row that is whole.
  template <class Byte>
  struct RowPieces {
    std::span<Byte> scales, elements;
  };
  template <class Byte>
  RowPieces<Byte> pieces(const Shard& shard, std::span<Byte> row) const;

  RowWindowShape shape_;
  RowLayout layout_;
  std::vector<Shard> shards_;
};

}  // namespace secondorder
