// A large block of zeros straight from the system.
#pragma once

#include <cstddef>
#include <span>

namespace secondorder {

/// Pages that are taken from the machine as they are first touched; large ones where the system has
/// them, since passes over gigabytes would otherwise wait for the translation of addresses.
class PageMemory {
 public:
  /// Throws ERR_OUT_OF_MEMORY where the system refuses.
  explicit PageMemory(std::size_t bytes);
  ~PageMemory();
  PageMemory(const PageMemory&) = delete;
  PageMemory& operator=(const PageMemory&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace secondorder
