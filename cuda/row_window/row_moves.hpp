// A row in and out of its place in the window.
#pragma once

#include <cuda_runtime.h>

#include "row_window/tile_layout.hpp"

namespace secondorder::cuda {

/// Blocks [first_block, end_block) of row `slot`. `row` begins with the first of them; its scales
/// may be null, which leaves the window's as they are.
struct RowMove {
  Tiles tiles;
  std::size_t slot;
  unsigned first_block, end_block;
  SingleRow row;
};

/// Into the window, or out of it.
void launch_store_row(const RowMove& move, cudaStream_t stream);
void launch_fetch_row(const RowMove& move, cudaStream_t stream);

}  // namespace secondorder::cuda
