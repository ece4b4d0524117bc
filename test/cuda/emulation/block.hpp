// Runs the blocks of a grid: the threads of a block are fibers of the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/function_ref.hpp"
#include "vector_types.hpp"

namespace secondorder::emulation {

/// Calls `thread` for every thread of every block, with the indices set. Throws std::logic_error
/// where threads wait for others that never come.
void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, FunctionRef<void()> thread);

/// Dynamic shared memory of the running block.
void* dynamic_shared_memory();

/// Waits for all threads of the block that have not ended; how many of them voted.
unsigned block_barrier(bool vote = false);

/// What a lane gets from a warp operation: the value of lane `source`, and a bit for each lane of
/// the mask whose value isn't 0.
struct WarpResult {
  std::uint64_t value = 0;
  std::uint32_t ballot = 0;
};
/// Waits for the lanes of `mask`, which must include the caller and `source`.
WarpResult warp_exchange(std::uint32_t mask, std::uint64_t value, unsigned source);
unsigned lane();

}  // namespace secondorder::emulation

extern thread_local constinit uint3 threadIdx;
extern thread_local constinit uint3 blockIdx;
extern thread_local constinit dim3 blockDim;
extern thread_local constinit dim3 gridDim;
