// Copies between the host's memory and the device's through two halves of pinned memory: one is
// copied by the processor while the other is under way.
#pragma once

#include <array>
#include <cstddef>

#include "memory.hpp"

namespace secondorder::cuda {

/// Rows of bytes with a stride, on the device; packed on the host.
struct ByteRows {
  std::byte* device = nullptr;
  std::size_t rows = 0, width = 0, stride = 0;
};

class Staging {
 public:
  explicit Staging(std::size_t half_bytes = std::size_t{4} << 20);

  /// Returns as soon as `host` has been read.
  void upload(const std::byte* host, ByteRows to, cudaStream_t stream);
  /// Returns when `host` has been written.
  void download(ByteRows from, std::byte* host, cudaStream_t stream);

 private:
  struct Half {
    std::byte* bytes = nullptr;
    Event copied;
  };

  std::size_t half_bytes_;
  PinnedMemory memory_;
  std::array<Half, 2> halves_;
};

}  // namespace secondorder::cuda
