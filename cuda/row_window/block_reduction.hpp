// Sums and maxima over a warp or a block of threads, in an order that follows from the lanes alone.
#pragma once

#include <cuda_runtime.h>

namespace secondorder::cuda {

inline constexpr unsigned warp_size = 32;
inline constexpr unsigned all_lanes = 0xFFFFFFFFU;

/// The sums over a warp of `count` values (a power of two) of each lane, each by the tree of lane
/// distances 16, 8, 4, 2, 1. Lanes [i·32/count, (i + 1)·32/count) get sum i. Half of the values
/// change hands at each distance, so that 8 sums cost 9 exchanges and not 40.
template <int count, class Number>
__device__ Number warp_sums(Number (&values)[count], unsigned lane) {
#pragma unroll
  for (int kept = count / 2; kept > 0; kept /= 2) {
    const unsigned distance = warp_size * static_cast<unsigned>(kept) / count;
    const bool upper = (lane & distance) != 0;
#pragma unroll
    for (int i = 0; i < kept; ++i) {
      const Number own = upper ? values[i + kept] : values[i];
      const Number other = upper ? values[i] : values[i + kept];
      values[i] = own + __shfl_xor_sync(all_lanes, other, static_cast<int>(distance));
    }
  }
  Number sum = values[0];
#pragma unroll
  for (int distance = static_cast<int>(warp_size) / count / 2; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(all_lanes, sum, distance);
  }
  return sum;
}

/// The largest value of a block of `threads` threads, in all of them. `scratch` has a value for
/// each warp; it may be reused after the next barrier.
template <unsigned threads, class Number>
__device__ Number block_maximum(Number value, Number* scratch) {
#pragma unroll
  for (int distance = warp_size / 2; distance > 0; distance /= 2) {
    const Number other = __shfl_xor_sync(all_lanes, value, distance);
    value = other > value ? other : value;
  }
  if (threadIdx.x % warp_size == 0) scratch[threadIdx.x / warp_size] = value;
  __syncthreads();
  value = scratch[0];
#pragma unroll
  for (unsigned w = 1; w < threads / warp_size; ++w) {
    value = scratch[w] > value ? scratch[w] : value;
  }
  return value;
}

}  // namespace secondorder::cuda
