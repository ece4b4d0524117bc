// Where the elements of a window lie on the device:
//
//   block 0 (columns 0 … 1023):  row 0 | row 1 | … | row m−1     4, 2 or 1 KiB each
//   block 1:                     row 0 | row 1 | …
//
// The last block has as many lines of 64 bytes as it has columns for. A row's part of a block is
// contiguous, as in the row by itself (algebra/row_layout.hpp): warps read it 512 bytes at a time.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "algebra/row_layout.hpp"

namespace secondorder::cuda {

/// What a thread reads at once.
inline constexpr unsigned chunk_bytes = 16;

/// Passed to kernels by value.
struct TileLayout {
  std::size_t rows, blocks;
  unsigned full_block_bytes;  ///< of a row's part of a block
  unsigned last_block_bytes;
  unsigned last_block_columns;

  static TileLayout of(std::size_t rows, const RowLayout& layout) {
    const std::size_t blocks = layout.blocks(), before = blocks > 0 ? blocks - 1 : 0;
    const std::size_t full = block_columns * element_bytes(layout.storage);
    return {rows, blocks, static_cast<unsigned>(full),
            static_cast<unsigned>(layout.element_row_bytes() - before * full),
            static_cast<unsigned>(layout.columns - before * block_columns)};
  }

  /// Bytes of a row's part of a block: the distance from row to row.
  __host__ __device__ unsigned row_bytes(std::size_t block) const {
    return block + 1 == blocks ? last_block_bytes : full_block_bytes;
  }
  __host__ __device__ unsigned columns(std::size_t block) const {
    return block + 1 == blocks ? last_block_columns : static_cast<unsigned>(block_columns);
  }
  /// Where row 0 of a block begins; in a row by itself, where the block does.
  __host__ __device__ std::size_t offset(std::size_t block) const {
    return block * rows * full_block_bytes;
  }
  __host__ __device__ std::size_t offset_in_row(std::size_t block) const {
    return block * full_block_bytes;
  }
};

/// Rows [0, m) of a window and their scales (block by block, a row each; null: they are 1).
struct Tiles {
  TileLayout layout;
  std::byte* data;
  float* scales;

  __device__ const std::byte* block(std::size_t index) const { return data + layout.offset(index); }
  __device__ double scale(std::size_t block, std::size_t row) const {
    return scales == nullptr ? 1.0 : static_cast<double>(scales[block * layout.rows + row]);
  }
};

/// A row by itself: the candidate.
struct SingleRow {
  std::byte* data;
  float* scales;  ///< a block each, or null
};

/// A vector in device memory that begins with the first column of a pass: float32 or float64.
struct DeviceVector {
  const void* values;
  bool wide;

  __device__ double operator[](std::size_t j) const {
    return wide ? static_cast<const double*>(values)[j]
                : static_cast<double>(static_cast<const float*>(values)[j]);
  }
};

}  // namespace secondorder::cuda
