// What one chunk of columns needs on its way through the device: its part of the vectors in pinned
// memory and on the device, both ways, and a stream. Chunks take turns over three lanes, so that
// one's transfer in, another's kernel and a third's transfer out go on at the same time.
//
// What bounds a pass of a window with m rows: the device's memory with s·m bytes a column (s bytes
// an element) at some 3 TB/s; the link with 4 (a float32) at 25 to 55 GB/s, so that it hides from m
// = 30 to 120 rows of float32 on; and the host's copy into pinned memory (host_vectors.hpp).
#pragma once

#include <cstddef>

#include "memory.hpp"

namespace secondorder::cuda {

inline constexpr unsigned lane_count = 3;

/// The vectors of a chunk: `vectors` of them, in one buffer each way.
struct LaneVectors {
  PinnedMemory host_in, host_out;
  DeviceMemory in, out, coefficients;

  LaneVectors() = default;
  LaneVectors(std::size_t vectors, std::size_t columns, std::size_t rows)
      : host_in(in_bytes(vectors, columns)),
        host_out(out_bytes(vectors, columns)),
        in(in_bytes(vectors, columns)),
        out(out_bytes(vectors, columns)),
        coefficients(vectors * rows * sizeof(double)) {}

  /// In they may be float64, out they are float32.
  static std::size_t in_bytes(std::size_t vectors, std::size_t columns) {
    return vectors * columns * sizeof(double);
  }
  static std::size_t out_bytes(std::size_t vectors, std::size_t columns) {
    return vectors * columns * sizeof(float);
  }
  std::size_t device_bytes() const { return in.bytes() + out.bytes() + coefficients.bytes(); }
  std::size_t bytes() const { return device_bytes() + host_in.bytes() + host_out.bytes(); }
};

struct Lane {
  Stream stream;
  Event sent{/*asleep=*/false};  ///< what was in host_in has left it
  LaneVectors vectors;

  void to_device(void* to, const void* from, std::size_t bytes) const {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.get()),
          "cudaMemcpyAsync");
  }
  void to_host(void* to, const void* from, std::size_t bytes) const {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream.get()),
          "cudaMemcpyAsync");
  }
};

}  // namespace secondorder::cuda
