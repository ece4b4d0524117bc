// Which gate a column of activations belongs to, and whether it is open for a sample: bits are
// read where they are used, and never become numbers in memory.
#pragma once

#include <cuda_runtime.h>

#include "algebra/tiles.hpp"
#include "algebra/view.hpp"

namespace secondorder::cuda {

/// The columns (set, gate, output) of a tile.
class GateColumns {
 public:
  GateColumns(GateBits gates, std::size_t outputs, const Tile& tile)
      : gates_(gates.block(tile.first_row, tile.rows)),
        set_rows_(static_cast<unsigned>(gates.gates * outputs)),
        outputs_(static_cast<unsigned>(outputs)),
        first_(static_cast<unsigned>(tile.first_column)) {}

  __device__ unsigned outputs() const { return outputs_; }
  /// The gate of column 0, of the set that it belongs to.
  __device__ unsigned first_gate() const { return within_set(0) / outputs_; }
  /// The bits of `gate` and the gates after it in its word, from the lowest up.
  __device__ std::uint64_t bits(std::size_t row, unsigned gate) const {
    return gates_.row(row)[gate / 64] >> (gate % 64);
  }

  /// Whether the gates of columns j, …, j + width − 1 are open, and the columns' outputs.
  template <int width>
  __device__ void at(std::size_t row, std::size_t j, bool (&open)[width],
                     unsigned (&output)[width]) const {
    const std::uint64_t* const words = gates_.row(row);
    unsigned column = within_set(j), held = ~0U;
    std::uint64_t word = 0;
#pragma unroll
    for (int k = 0; k < width; ++k) {
      const unsigned gate = outputs_ == 1 ? column : column / outputs_;
      if (gate / 64 != held) {
        held = gate / 64;
        word = words[held];
      }
      open[k] = ((word >> (gate % 64)) & 1U) != 0;
      output[k] = column - gate * outputs_;
      if (++column == set_rows_) column = 0;
    }
  }

 private:
  __device__ unsigned within_set(std::size_t j) const {
    unsigned column = first_ + static_cast<unsigned>(j);
    while (column >= set_rows_) column -= set_rows_;
    return column;
  }

  GateBits gates_;  ///< of the tile's rows
  unsigned set_rows_, outputs_, first_;
};

}  // namespace secondorder::cuda
