// Who works on a block, and in what scratch memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

#include "algebra/cpu/cpu_algebra.hpp"
#include "base/thread_pool.hpp"

namespace secondorder::mfac {

/// The threads that share the work on one block: a whole team where blocks are few and large, one
/// thread where they are many. How the work is cut follows from `shared` and the shapes, never from
/// the number of threads.
class Team {
 public:
  Team(int threads, bool shared_blocks) : shared(shared_blocks), pool(threads), algebra(threads) {}

  void watch(const RunControl* control) {
    pool.watch(control, StopOn::time_limit);
    algebra.watch(control, StopOn::time_limit);
  }

  /// Scratch of this many doubles, uninitialized; the same memory for the same slot.
  enum Slot : std::size_t { chunk, partial, correction, product, factor, slots };
  double* scratch(Slot slot, std::size_t count) {
    Buffer& buffer = buffers_[slot];
    if (buffer.count < count) {
      buffer.values.reset();
      buffer.values = std::make_unique_for_overwrite<double[]>(count);
      buffer.count = count;
    }
    return buffer.values.get();
  }
  void release() { buffers_ = {}; }

  /// Parts that work on one block is cut into, at least, where it is large enough.
  std::size_t parts() const { return shared ? 16 : 1; }
  /// Doubles of a chunk of samples: all of the team's share of a cache, or one thread's.
  std::size_t chunk_size() const { return shared ? std::size_t{1} << 21 : std::size_t{1} << 14; }

  /// Bytes of all scratch that work on blocks of this order takes.
  static std::size_t scratch_bound(bool shared_blocks, std::size_t order) {
    const std::size_t square = order * order,
                      chunk = shared_blocks ? std::size_t{1} << 21 : 1 << 16;
    const std::size_t sums = shared_blocks ? std::size_t{1} << 22 : 0;
    return (std::max(chunk, 256 * order) + sums + 4 * square) * sizeof(double);
  }

  const bool shared;
  ThreadPool pool;
  CpuAlgebra<double> algebra;

 private:
  struct Buffer {
    std::unique_ptr<double[]> values;
    std::size_t count = 0;
  };
  std::array<Buffer, slots> buffers_;
};

}  // namespace secondorder::mfac
