// What the dense forms of a KKT matrix on one GPU share: its stream with the libraries on it,
// copies to and from the host, and memory that is allocated as one block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "algebra/row_major_blas.hpp"
#include "algebra/staging.hpp"
#include "memory.hpp"

namespace secondorder::cuda {

/// A device with the libraries to use on it.
struct DenseSettings {
  int device = 0;
  const Cublas* cublas = nullptr;
  const Cusolver* cusolver = nullptr;
};

/// Places in a block of memory, each after the last: laid out once without memory, to count bytes,
/// and once more in it.
class Places {
 public:
  explicit Places(void* memory = nullptr) : base_(reinterpret_cast<std::uintptr_t>(memory)) {}

  template <class T>
  T* take(std::size_t count) {
    constexpr std::size_t alignment = 256;
    auto* const place = reinterpret_cast<T*>(base_ + bytes_);
    bytes_ += (count * sizeof(T) + alignment - 1) / alignment * alignment;
    return place;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::uintptr_t base_;
  std::size_t bytes_ = 0;
};

class DenseDevice {
 public:
  explicit DenseDevice(const DenseSettings& settings)
      : settings_(settings),
        current_(settings.device),
        blas_(*settings.cublas, *settings.cusolver, stream()) {}

  /// Begins an operation: makes the device current in this thread.
  void use() const { check(cudaSetDevice(settings_.device), "cudaSetDevice"); }
  cudaStream_t stream() const { return stream_.get(); }
  const RowMajorBlas<double>& blas() const { return blas_; }
  const DenseSettings& settings() const { return settings_; }

  /// Returns as soon as `host` has been read.
  template <class Number>
  void upload(std::span<const Number> host, Number* to) {
    staging_.upload(reinterpret_cast<const std::byte*>(host.data()),
                    {reinterpret_cast<std::byte*>(to), 1, host.size_bytes(), 0}, stream());
  }
  /// Waits for everything before.
  template <class Number>
  void download(const Number* from, std::span<Number> host) {
    // staging only ever writes to what it copies to the device
    auto* const device = reinterpret_cast<std::byte*>(const_cast<Number*>(from));
    staging_.download({device, 1, host.size_bytes(), 0}, reinterpret_cast<std::byte*>(host.data()),
                      stream());
  }
  /// A matrix with gaps, to one without.
  void download(ConstView<double> from, std::span<double> host) {
    auto* const device = reinterpret_cast<std::byte*>(const_cast<double*>(from.data));
    staging_.download({device, from.rows, from.cols * sizeof(double), from.stride * sizeof(double)},
                      reinterpret_cast<std::byte*>(host.data()), stream());
  }

 private:
  DenseSettings settings_;
  CurrentDevice current_;  ///< before anything else is made
  Stream stream_;
  RowMajorBlas<double> blas_;
  Staging staging_;
};

}  // namespace secondorder::cuda
