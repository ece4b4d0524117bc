// Memory that operations of the CPU write partial results to: one block for each thread, one for
// all. Each operation's need follows from the shape, so that all of it can be had beforehand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include "algebra/arena.hpp"

namespace secondorder {

/// What an operation needs at most, in bytes.
struct ScratchBytes {
  std::size_t thread = 0;  ///< of each thread
  std::size_t shared = 0;

  ScratchBytes with(const ScratchBytes& other) const {
    return {std::max(thread, other.thread), std::max(shared, other.shared)};
  }
};

/// A block that is filled anew by every operation.
class Scratch {
 public:
  void reserve(std::size_t bytes);
  /// `count` elements with any values; allocates only where there was no room yet.
  template <class T>
  T* take(std::size_t count) {
    reserve(count * sizeof(T));
    return reinterpret_cast<T*>(memory_->data());
  }

 private:
  std::unique_ptr<Memory> memory_;
  std::size_t bytes_ = 0;
};

/// A block of host memory, aligned for every instruction set; throws ERR_OUT_OF_MEMORY.
std::unique_ptr<Memory> host_memory(std::size_t bytes);

}  // namespace secondorder
