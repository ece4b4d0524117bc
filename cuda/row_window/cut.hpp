// How a pass over a window is cut for the device. All of it follows from the shape alone, so that a
// result has the same bits on every GPU, whether a vector came at once or in slices.
#pragma once

#include <algorithm>
#include <cstddef>

#include "row_window/combine.hpp"
#include "row_window/products.hpp"

namespace secondorder::cuda {

/// A pass goes over chunks of blocks of columns; while one is multiplied, the next one's part of
/// the vectors is on its way. A chunk of pass one is cut into tasks, which have partial sums each.
struct Cut {
  unsigned blocks;
  unsigned blocks_per_chunk;
  unsigned blocks_per_task;  ///< a divisor of blocks_per_chunk
  unsigned rows_per_block;   ///< rows of a block of threads in pass one
  unsigned teams;            ///< of threads in pass two

  static Cut of(std::size_t rows, std::size_t blocks, Storage storage) {
    // Eight chunks hide all but an eighth of the first and last transfer, and a chunk of 128 blocks
    // is worth its launches and its wait; more than 512 hide no more, and only take memory.
    const std::size_t eighth = (blocks + 7) / 8;
    const auto chunk = static_cast<unsigned>(
        std::min(std::clamp<std::size_t>(eighth, 128, 512), std::max<std::size_t>(blocks, 1)));
    const std::size_t row_parts = std::max<std::size_t>((rows + 255) / 256, 1);
    unsigned task = 1;
    // 512 blocks of threads are twice as many as an H100 runs at a time.
    while (task < 8 && chunk % (2 * task) == 0 && chunk / (2 * task) * row_parts >= 512) task *= 2;
    return {static_cast<unsigned>(blocks), chunk, task,
            chunk / task * row_parts >= 512 ? 256U : 64U, combine_teams(storage, chunk)};
  }

  unsigned chunks() const { return (blocks + blocks_per_chunk - 1) / blocks_per_chunk; }
  unsigned tasks() const { return (blocks + blocks_per_task - 1) / blocks_per_task; }
  unsigned first_block(unsigned chunk) const { return chunk * blocks_per_chunk; }
  unsigned end_block(unsigned chunk) const {
    return std::min(first_block(chunk) + blocks_per_chunk, blocks);
  }
  /// Columns of the longest chunk, whole blocks.
  std::size_t chunk_columns() const { return std::size_t{blocks_per_chunk} * block_columns; }
};

}  // namespace secondorder::cuda
