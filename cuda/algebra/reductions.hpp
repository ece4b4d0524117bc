// Sums over the threads of a warp and of a block, in an order that follows from the shape alone.
#pragma once

#include <cuda_runtime.h>

namespace secondorder::cuda {

/// The sum over a warp, in all of its lanes.
template <class Number>
__device__ Number warp_sum(Number value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(0xFFFFFFFFU, value, distance);
  }
  return value;
}

/// The sum over a one-dimensional block of whole warps, in its first thread. All threads take part;
/// a barrier must lie between two calls.
template <class Number>
__device__ Number block_sum(Number value) {
  __shared__ Number warps[32];
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (unsigned w = 1; w < blockDim.x / 32; ++w) value += warps[w];
  }
  return value;
}

}  // namespace secondorder::cuda
