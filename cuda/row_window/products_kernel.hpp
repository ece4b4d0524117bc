// The kernel of pass one, for any way of multiplying rows. `Rows` has
//   vectors, is_candidate       what x is
//   XBlock                      a block of columns of x in shared memory, with a scale for each
//   vector Scratch                     what block_maximum needs a number of for each warp
//   load(pass, candidate, block, x, scratch)   brings it there; ends with a barrier
//   products(rows, stride, last_row, x, lane, products)
//                               of a group of rows but for the scales, row i's in lanes
//                               [i · lanes_per_row, …); rows after the last one are the last one
//                               again
//   row_scale(x)                a candidate's scale as a row has it
//   self_product(row_bytes, x, lane)           of a candidate, with the same bits as the product
//   with
//                               a row equal to it
#pragma once

#include "launch.hpp"
#include "row_window/pass_block.hpp"
#include "row_window/products.hpp"

namespace secondorder::cuda {

template <class Rows>
__global__ void __launch_bounds__(pass_threads, 2)
    multiply_rows(ProductsPass pass, SingleRow candidate) {
  constexpr unsigned vectors = Rows::vectors, height = group_rows<vectors>;
  constexpr unsigned lanes_per_row = warp_size / height;
  __shared__ typename Rows::XBlock x;
  __shared__ double sums[vectors][most_rows], square;
  __shared__ typename Rows::Scratch scratch[pass_warps];
  const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
  const unsigned first_row = blockIdx.y * pass.rows_per_block;
  const unsigned rows =
      pass.used - first_row < pass.rows_per_block ? pass.used - first_row : pass.rows_per_block;
  // From here on each warp adds up sums of its own rows.
  for (unsigned v = 0; v < vectors; ++v) sums[v][threadIdx.x] = 0;
  if (threadIdx.x == 0) square = 0;

  const unsigned begin = pass.first_block + blockIdx.x * pass.blocks_per_task;
  const unsigned end =
      begin + pass.blocks_per_task < pass.end_block ? begin + pass.blocks_per_task : pass.end_block;
  for (unsigned block = begin; block < end; ++block) {
    Rows::load(pass, candidate, block, x, scratch);
    const unsigned stride = pass.tiles.layout.row_bytes(block);
    const std::byte* tile = pass.tiles.block(block) + std::size_t{first_row} * stride;
    for (unsigned row = warp * height; row < rows; row += pass_warps * height) {
      double products[vectors];
      Rows::products(tile + std::size_t{row} * stride, stride, rows - 1 - row, x, lane, products);
      const unsigned own = row + lane / lanes_per_row;
      if (lane % lanes_per_row != 0 || own >= rows) continue;
      const double scale = pass.tiles.scale(block, first_row + own);
#pragma unroll
      for (unsigned v = 0; v < vectors; ++v) {
        sums[v][own] = fma(scale, x.scale[v] * products[v], sums[v][own]);
      }
    }
    if constexpr (Rows::is_candidate) {
      if (blockIdx.y == 0 && warp == pass_warps - 1) {
        const double product = Rows::self_product(stride, x, lane);
        if (lane == 0) square = fma(Rows::row_scale(x), x.scale[0] * product, square);
      }
    }
    __syncthreads();
  }

  const std::size_t task = std::size_t{begin / pass.blocks_per_task} * vectors;
  constexpr unsigned before = Rows::is_candidate ? 1 : 0;
  if (threadIdx.x < rows) {
    for (unsigned v = 0; v < vectors; ++v) {
      pass.sums[(task + v) * pass.sums_stride + before + first_row + threadIdx.x] =
          sums[v][threadIdx.x];
    }
  }
  if (Rows::is_candidate && blockIdx.y == 0 && threadIdx.x == 0) {
    pass.sums[task * pass.sums_stride] = square;
  }
}

template <class Rows>
void launch_multiply_rows(const ProductsPass& pass, const SingleRow& candidate,
                          cudaStream_t stream) {
  launch(multiply_rows<Rows>, products_grid(pass), dim3(pass_threads), 0, stream, pass, candidate);
}

}  // namespace secondorder::cuda
