#include "algebra/cpu/cpu_scratch.hpp"

#include <cstdlib>
#include <string>

#include "algebra/cpu/tiling.hpp"
#include "base/error.hpp"

namespace secondorder {

namespace {

class HostMemory final : public Memory {
 public:
  explicit HostMemory(std::size_t bytes)
      : data_(static_cast<std::byte*>(std::aligned_alloc(256, round_up(bytes, 256)))) {
    if (data_ == nullptr) {
      throw Error(ErrorCode::out_of_memory,
                  "the system refused " + std::to_string(bytes) + " bytes of memory");
    }
  }
  ~HostMemory() override { std::free(data_); }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  std::byte* data() override { return data_; }

 private:
  std::byte* data_;
};

}  // namespace

std::unique_ptr<Memory> host_memory(std::size_t bytes) {
  return std::make_unique<HostMemory>(std::max<std::size_t>(bytes, 1));
}

void Scratch::reserve(std::size_t bytes) {
  if (memory_ != nullptr && bytes <= bytes_) return;
  memory_.reset();  // its values may go, and must not stand beside the new ones
  memory_ = host_memory(bytes);
  bytes_ = bytes;
}

}  // namespace secondorder
