// Pass one, G·x: the products of rows [0, used) with up to four vectors, which share one reading of
// the window; and the candidate's, which is rounded on the way.
#pragma once

#include <cuda_runtime.h>

#include "row_window/tile_layout.hpp"

namespace secondorder::cuda {

/// Vectors that share one reading of the window, at most: more would need more registers than
/// leave enough loads in flight.
inline constexpr unsigned vectors_at_once = 4;
/// Kernels are made for one vector and for four.
constexpr unsigned kernel_vectors(std::size_t vectors) {
  return vectors == 1 ? 1 : vectors_at_once;
}

/// Blocks [first_block, end_block) of a window. `blocks_per_task` of them are one task, and have
/// one sum for each row and vector: the cut, and with it every bit, follows from the shape alone.
struct ProductsPass {
  Tiles tiles;
  unsigned used;
  unsigned first_block, end_block;
  unsigned blocks_per_task;
  unsigned rows_per_block;  ///< rows that a block of threads takes, a multiple of 64 up to 256
  DeviceVector x[vectors_at_once];
  /// [task][vector][row] of all blocks' tasks; of the candidate [task][1 + row], before them the
  /// candidate's product with itself.
  double* sums;
  std::size_t sums_stride;  ///< from a task's vector to the next
};

/// Blocks of threads of a pass: by task, and by rows_per_block rows; at least one, for a candidate
/// is rounded even where it is multiplied with nothing.
inline dim3 products_grid(const ProductsPass& pass) {
  const unsigned blocks = pass.end_block - pass.first_block;
  const unsigned rows = (pass.used + pass.rows_per_block - 1) / pass.rows_per_block;
  return {(blocks + pass.blocks_per_task - 1) / pass.blocks_per_task, rows > 0 ? rows : 1};
}

/// The products with x[0 … vectors), vectors being 1 or vectors_at_once.
void launch_products(Storage storage, unsigned vectors, const ProductsPass& pass,
                     cudaStream_t stream);
/// Rounds x[0] into the candidate, and multiplies what became of it.
void launch_candidate_products(Storage storage, const SingleRow& candidate,
                               const ProductsPass& pass, cudaStream_t stream);
/// out[i] = Σ sums[task · stride + i] over the tasks, i < count.
void launch_sum_tasks(const double* sums, std::size_t tasks, std::size_t stride, std::size_t count,
                      double* out, cudaStream_t stream);

}  // namespace secondorder::cuda
