#include "device.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "device_state.hpp"
#include "streams.hpp"

namespace secondorder::emulation {

namespace {

constexpr std::size_t granule = 512;
constexpr std::size_t static_shared_limit = 48 << 10, shared_limit = 227 << 10;

thread_local cudaError_t last_error = cudaSuccess;
thread_local int current_device = 0;

/// The bytes lie within one block of device memory.
bool on_device(const void* address, std::size_t bytes) {
  const auto* first = static_cast<const std::byte*>(address);
  const std::lock_guard lock(device().mutex);
  auto block = device().blocks.upper_bound(first);
  if (block == device().blocks.begin()) return false;
  --block;
  return first + bytes <= block->first + block->second;
}

bool sides_match(const void* to, const void* from, std::size_t to_bytes, std::size_t from_bytes,
                 cudaMemcpyKind kind) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind == cudaMemcpyDefault) return true;
  return on_device(to, to_bytes) == to_device && on_device(from, from_bytes) == from_device;
}

std::size_t whole(std::size_t bytes) { return (bytes + granule - 1) / granule * granule; }

}  // namespace

Device& device() {
  static Device one;
  return one;
}

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t waited() {
  ++device().synchronizations;
  return cudaSuccess;
}

void set_memory_limit(std::size_t bytes) {
  const std::lock_guard lock(device().mutex);
  device().limit = bytes;
}

void set_device_count(int count) {
  const std::lock_guard lock(device().mutex);
  device().count = count;
}

void set_refusal(Refusal refusal) { device().refusal = refusal; }

Held held() {
  Device& d = device();
  const std::lock_guard lock(d.mutex);
  return {d.used,          d.blocks.size(), d.pinned.size(), d.streams.size(),
          d.events.size(), d.graphs.size(), d.handles};
}

std::uint64_t launches() { return device().launches; }
std::uint64_t graph_launches() { return device().graph_launches; }
std::uint64_t synchronizations() { return device().synchronizations; }
void count_handles(int change) {
  const std::lock_guard lock(device().mutex);
  device().handles += static_cast<std::size_t>(change);
}

cudaError_t check_launch(dim3 grid, dim3 block, std::size_t shared_bytes, const void* kernel) {
  std::size_t allowed = static_shared_limit;
  {
    const std::lock_guard lock(device().mutex);
    const auto own = device().shared_bytes.find(kernel);
    if (own != device().shared_bytes.end()) {
      allowed = std::max(allowed, static_cast<std::size_t>(own->second));
    }
  }
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  const bool possible = grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= 0x7FFFFFFFU &&
                        grid.y <= 65535 && grid.z <= 65535 && threads > 0 && threads <= 1024 &&
                        block.z <= 64 && shared_bytes <= allowed;
  if (!possible) return result(cudaErrorInvalidConfiguration);
  ++device().launches;
  return cudaSuccess;
}

}  // namespace secondorder::emulation

using namespace secondorder::emulation;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = device().count;
  return *count > 0 ? cudaSuccess : result(cudaErrorNoDevice);
}
cudaError_t cudaSetDevice(int index) {
  if (index < 0 || index >= device().count) return result(cudaErrorInvalidDevice);
  current_device = index;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* index) {
  *index = current_device;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index < 0 || index >= device().count) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated device");
  properties->totalGlobalMem = device().limit;
  properties->major = 8;  // where cuBLAS takes a small workspace
  properties->multiProcessorCount = 4;
  properties->l2CacheSize = 1 << 20;
  properties->sharedMemPerBlockOptin = shared_limit;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int index) {
  cudaDeviceProp properties{};
  const cudaError_t error = cudaGetDeviceProperties(&properties, index);
  if (error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      break;
    case cudaDevAttrL2CacheSize:
      *value = properties.l2CacheSize;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      break;
  }
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  const cudaError_t refused = refuse_in_capture();
  return refused == cudaSuccess ? waited() : refused;
}
cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() { return last_error; }
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
    default:
      return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    default:
      return "unknown error";
  }
}

cudaError_t cudaMalloc(void** address, std::size_t bytes) {
  *address = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (const cudaError_t refused = refuse_in_capture(); refused != cudaSuccess) return refused;
  Device& d = device();
  const std::lock_guard lock(d.mutex);
  if (bytes > d.limit || whole(bytes) > d.limit - std::min(d.used, d.limit)) {
    return result(cudaErrorMemoryAllocation);
  }
  // Of its exact size, so that the address sanitizer sees what goes past its end.
  void* block = nullptr;
  if (posix_memalign(&block, granule, bytes) != 0) return result(cudaErrorMemoryAllocation);
  std::memset(block, 0xFF, bytes);
  d.used += whole(bytes);
  d.blocks.emplace(static_cast<std::byte*>(block), bytes);
  *address = block;
  return cudaSuccess;
}
cudaError_t cudaFree(void* address) {
  if (address == nullptr) return cudaSuccess;
  if (const cudaError_t refused = refuse_in_capture(); refused != cudaSuccess) return refused;
  Device& d = device();
  const std::lock_guard lock(d.mutex);
  const auto block = d.blocks.find(static_cast<std::byte*>(address));
  if (block == d.blocks.end()) return result(cudaErrorInvalidValue);
  d.used -= whole(block->second);
  d.blocks.erase(block);
  std::free(address);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** address, std::size_t bytes, unsigned) {
  if (const cudaError_t refused = refuse_in_capture(); refused != cudaSuccess) return refused;
  *address = std::malloc(std::max<std::size_t>(bytes, 1));
  if (*address == nullptr) return result(cudaErrorMemoryAllocation);
  const std::lock_guard lock(device().mutex);
  device().pinned.insert(*address);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** address, std::size_t bytes, unsigned flags) {
  return cudaHostAlloc(address, bytes, flags);
}
cudaError_t cudaFreeHost(void* address) {
  if (address == nullptr) return cudaSuccess;
  if (const cudaError_t refused = refuse_in_capture(); refused != cudaSuccess) return refused;
  const std::lock_guard lock(device().mutex);
  if (device().pinned.erase(address) == 0) return result(cudaErrorInvalidValue);
  std::free(address);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* left, std::size_t* total) {
  const std::lock_guard lock(device().mutex);
  *total = device().limit;
  *left = device().limit - std::min(device().used, device().limit);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (!sides_match(to, from, bytes, bytes, kind)) return result(cudaErrorInvalidValue);
  return issue(stream, [=] { std::memmove(to, from, bytes); });
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (const cudaError_t refused = refuse_in_capture(); refused != cudaSuccess) return refused;
  waited();
  return cudaMemcpyAsync(to, from, bytes, kind);
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  if (width == 0 || height == 0) return cudaSuccess;
  if (to_pitch < width || from_pitch < width) return result(cudaErrorInvalidValue);
  const std::size_t last = height - 1;
  if (!sides_match(to, from, last * to_pitch + width, last * from_pitch + width, kind)) {
    return result(cudaErrorInvalidValue);
  }
  return issue(stream, [=] {
    for (std::size_t i = 0; i < height; ++i) {
      std::memmove(static_cast<std::byte*>(to) + i * to_pitch,
                   static_cast<const std::byte*>(from) + i * from_pitch, width);
    }
  });
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, std::size_t bytes,
                                cudaStream_t stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (!on_device(to, bytes)) return result(cudaErrorInvalidValue);
  return issue(stream, [=] { std::memset(to, value, bytes); });
}
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  if (const cudaError_t refused = refuse_in_capture(); refused != cudaSuccess) return refused;
  waited();
  return cudaMemsetAsync(to, value, bytes);
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
  if (value < 0 || static_cast<std::size_t>(value) > shared_limit) {
    return result(cudaErrorInvalidValue);
  }
  const std::lock_guard lock(device().mutex);
  device().shared_bytes[kernel] = value;
  return cudaSuccess;
}
