// What the emulated device holds, for the files that emulate its calls.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <type_traits>

#include "cuda_runtime.h"
#include "device.hpp"

namespace secondorder::emulation {

struct Device {
  std::mutex mutex;
  std::size_t limit = std::size_t{1} << 30, used = 0;
  int count = 1;
  std::map<const std::byte*, std::size_t> blocks;
  std::set<const void*> pinned, streams, events, graphs;
  std::map<const void*, int> shared_bytes;  ///< that kernels may have
  std::size_t handles = 0;
  std::atomic<std::uint64_t> launches{0}, graph_launches{0}, synchronizations{0};
  std::atomic<Refusal> refusal{Refusal::nothing};
};
Device& device();

/// Keeps an error for cudaGetLastError(), and returns it.
cudaError_t result(cudaError_t error);
/// Counts that the host waited.
cudaError_t waited();

template <class Handle>
cudaError_t make(Handle* handle, std::set<const void*>& all) {
  *handle = new std::remove_pointer_t<Handle>;  // its owner is the code under test
  const std::lock_guard lock(device().mutex);
  all.insert(*handle);
  return cudaSuccess;
}

template <class Handle>
cudaError_t destroy(Handle handle, std::set<const void*>& all) {
  {
    const std::lock_guard lock(device().mutex);
    if (all.erase(handle) == 0) return result(cudaErrorInvalidValue);
  }
  delete handle;
  return cudaSuccess;
}

}  // namespace secondorder::emulation
