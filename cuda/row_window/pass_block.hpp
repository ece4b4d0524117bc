// What a block of threads does with its x in pass one: bring a block of columns into shared memory,
// rounding it into the candidate where it is one.
#pragma once

#include <cuda_runtime.h>

#include "row_window/block_reduction.hpp"
#include "row_window/elements.hpp"
#include "row_window/products.hpp"

namespace secondorder::cuda {

inline constexpr unsigned pass_threads = 256;
inline constexpr unsigned pass_warps = pass_threads / warp_size;
inline constexpr unsigned columns_per_thread = block_columns / pass_threads;
static_assert(columns_per_thread == 4);

/// Rows of a block of threads, at most.
inline constexpr unsigned most_rows = pass_threads;
/// Rows that a warp multiplies at a time: as many as there are registers for sums.
template <unsigned vectors>
inline constexpr unsigned group_rows = vectors == 1 ? 8 : 4;

/// The columns of the running thread in a block: x at them, 0 beyond the last column.
__device__ inline void load_own(const ProductsPass& pass, std::size_t block, unsigned vector,
                                double (&values)[columns_per_thread]) {
  const unsigned columns = pass.tiles.layout.columns(block);
  const std::size_t first = (block - pass.first_block) * block_columns;
#pragma unroll
  for (unsigned i = 0; i < columns_per_thread; ++i) {
    const unsigned column = threadIdx.x * columns_per_thread + i;
    values[i] = column < columns ? pass.x[vector][first + column] : 0;
  }
}

/// Writes a block of the candidate: bits[i] is column 4·thread + i.
template <class Element>
__device__ void store_own(const SingleRow& candidate, const TileLayout& layout, std::size_t block,
                          const typename Element::Bits (&bits)[columns_per_thread], float scale) {
  using Bits = typename Element::Bits;
  auto* row = reinterpret_cast<Bits*>(candidate.data + layout.offset_in_row(block));
  const unsigned elements = layout.row_bytes(block) / static_cast<unsigned>(sizeof(Bits));
#pragma unroll
  for (unsigned i = 0; i < columns_per_thread; ++i) {
    const unsigned column = threadIdx.x * columns_per_thread + i;
    if (column < elements) row[Element::place(column)] = bits[i];
  }
  if (Element::scaled && threadIdx.x == 0) candidate.scales[block] = scale;
}

/// The largest magnitude of a block, in all threads.
template <class Number>
__device__ Number largest_magnitude(const double (&values)[columns_per_thread], Number* scratch) {
  double largest = 0;
#pragma unroll
  for (unsigned i = 0; i < columns_per_thread; ++i) {
    const double size = values[i] < 0 ? -values[i] : values[i];
    largest = size > largest ? size : largest;
  }
  return block_maximum<pass_threads>(static_cast<Number>(largest), scratch);
}

}  // namespace secondorder::cuda
