// The host's side of a transfer: from the caller's vectors into pinned memory, and back.
//
// One thread copies some 10 GB/s, less than a PCIe link (25 to 55 GB/s) carries; several share it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "algebra/row_window.hpp"
#include "base/thread_pool.hpp"

namespace secondorder::cuda {

class HostVectors {
 public:
  /// `active` outlives this.
  explicit HostVectors(std::span<const std::uint32_t> active) : active_(active) {}

  /// Threads that copy, at most; 0: as many as the process may use.
  void set_threads(int threads) { wanted_ = threads; }

  /// to[j] = x at column first + j, j < count. The index of the first one that is not a finite
  /// number as To, or `count`. `offset`: position in the whole vector of x's first entry.
  template <class To>
  std::size_t gather(const HostVector& x, std::size_t offset, std::size_t first, std::size_t count,
                     To* to);
  /// out at column first + j = from[j]; whether all of them are finite.
  bool scatter(const float* from, std::size_t first, std::size_t count, std::span<float> out);

  std::size_t position(std::size_t column) const {
    return active_.empty() ? column : active_[column];
  }

 private:
  /// body(begin, end) over parts of [0, count), with the same parts for any number of threads.
  void parts(std::size_t count, FunctionRef<void(std::size_t, std::size_t)> body);

  /// Null where there is but one thread.
  ThreadPool* team();

  std::span<const std::uint32_t> active_;
  int wanted_ = 0;
  std::unique_ptr<ThreadPool> pool_;
};

}  // namespace secondorder::cuda
