// Sums in float64 of something over all elements, the same bits each time: how the elements are
// dealt out follows from the shape alone.
#pragma once

#include <algorithm>

#include "algebra/reductions.hpp"
#include "launch.hpp"

namespace secondorder::cuda {

inline constexpr std::size_t most_partial_sums = 1024;
/// Where partial sums begin, behind the totals.
inline constexpr std::size_t first_partial_sum = 8;
/// Numbers of memory that sum_terms takes.
inline constexpr std::size_t sum_memory = first_partial_sum + 2 * most_partial_sums;

/// partial[block·count + s] = sum s of the block's share.
template <int count, class Term>
__global__ void partial_sums(std::size_t rows, std::size_t cols, Term term, double* partial) {
  double sums[count] = {};
  const std::size_t size = rows * cols, step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t e = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; e < size; e += step) {
    const std::size_t i = rows == 1 ? 0 : e / cols;
    term(i, e - i * cols, sums);
  }
#pragma unroll
  for (int s = 0; s < count; ++s) {
    const double total = block_sum(sums[s]);
    if (threadIdx.x == 0) partial[blockIdx.x * count + s] = total;
    __syncthreads();
  }
}

template <int count>
__global__ void total_sums(std::size_t parts, const double* partial, double* totals) {
#pragma unroll
  for (int s = 0; s < count; ++s) {
    double sum = 0;
    for (std::size_t p = threadIdx.x; p < parts; p += blockDim.x) sum += partial[p * count + s];
    const double total = block_sum(sum);
    if (threadIdx.x == 0) totals[s] = total;
    __syncthreads();
  }
}

/// memory[s] = Σ over rows × cols of what term(i, j, sums) adds to sums[s]. `memory` holds
/// sum_memory numbers.
template <int count, class Term>
void sum_terms(cudaStream_t stream, std::size_t rows, std::size_t cols, const Term& term,
               double* memory) {
  static_assert(count <= 2);
  constexpr unsigned threads = 256;
  constexpr std::size_t terms_per_thread = 8;
  const std::size_t parts =
      std::min<std::size_t>(blocks_for(rows * cols, threads * terms_per_thread), most_partial_sums);
  launch(partial_sums<count, Term>, static_cast<unsigned>(parts), threads, 0, stream, rows, cols,
         term, memory + first_partial_sum);
  launch(total_sums<count>, 1, threads, 0, stream, parts, memory + first_partial_sum, memory);
}

}  // namespace secondorder::cuda
