// What the backend holds of a device: memory, pinned host memory, a stream, events. Each is given
// back by its destructor.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <utility>

#include "failure.hpp"

namespace secondorder::cuda {

/// A block of some memory, which `Kind` takes and gives back.
template <class Kind>
class MemoryBlock {
 public:
  MemoryBlock() = default;
  explicit MemoryBlock(std::size_t bytes) : bytes_(bytes) {
    if (bytes > 0) address_ = Kind::take(bytes);
  }
  ~MemoryBlock() { Kind::give_back(address_); }
  MemoryBlock(MemoryBlock&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryBlock& operator=(MemoryBlock&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  void* address() const { return address_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(address_);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void* address_ = nullptr;
  std::size_t bytes_ = 0;
};

struct OnDevice {
  /// Fails with ERR_OUT_OF_MEMORY, need and have.
  static void* take(std::size_t bytes) {
    void* address = nullptr;
    const cudaError_t status = cudaMalloc(&address, bytes);
    if (status == cudaErrorMemoryAllocation) fail_out_of_memory(bytes);
    check(status, "cudaMalloc");
    return address;
  }
  static void give_back(void* address) { cudaFree(address); }
};

struct PinnedOnHost {
  static void* take(std::size_t bytes) {
    void* address = nullptr;
    check(cudaMallocHost(&address, bytes), "cudaMallocHost");
    return address;
  }
  static void give_back(void* address) { cudaFreeHost(address); }
};

/// The current device's memory.
using DeviceMemory = MemoryBlock<OnDevice>;
/// Host memory that copies to and from a device go through without a copy of the driver's own.
using PinnedMemory = MemoryBlock<PinnedOnHost>;

/// Makes a device the current one of this thread.
struct CurrentDevice {
  explicit CurrentDevice(int device) { check(cudaSetDevice(device), "cudaSetDevice"); }
};

/// A stream of the current device that waits for no other.
class Stream {
 public:
  Stream() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }
  void synchronize() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

 private:
  cudaStream_t stream_ = nullptr;
};

/// A point in a stream that the host can wait for: asleep, or awake where it is to go on within
/// microseconds.
class Event {
 public:
  explicit Event(bool asleep = true) {
    const unsigned flags =
        asleep ? cudaEventBlockingSync | cudaEventDisableTiming : cudaEventDisableTiming;
    check(cudaEventCreateWithFlags(&event_, flags), "cudaEventCreateWithFlags");
  }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) {
    check(cudaEventRecord(event_, stream), "cudaEventRecord");
    recorded_ = true;
  }
  /// Returns at once where nothing was recorded since the last wait.
  void wait() {
    if (std::exchange(recorded_, false)) {
      check(cudaEventSynchronize(event_), "cudaEventSynchronize");
    }
  }

 private:
  cudaEvent_t event_ = nullptr;
  bool recorded_ = false;
};

}  // namespace secondorder::cuda
