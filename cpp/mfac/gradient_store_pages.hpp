// Whole pages of memory, anonymous or of a file: what gradients are kept in.
#pragma once

#include <cstddef>
#include <string>

namespace secondorder::mfac {

/// Owned pages, zero at first. Pages of a file are written back and dropped by the system as memory
/// runs short; the file has no name, and is gone with the last of its pages.
class Pages {
 public:
  /// Throws std::bad_alloc.
  static Pages in_memory(std::size_t bytes);
  /// Reserves the room in `directory` first; ERR_OUT_OF_MEMORY says what is needed and free where
  /// it has less, and ERR_INVALID_ARGUMENT where no file can be made in it.
  static Pages on_disk(std::size_t bytes, const std::string& directory);

  Pages(Pages&& other) noexcept;
  Pages& operator=(Pages&& other) noexcept;
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages();

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Pages(std::byte* data, std::size_t bytes) : data_(data), bytes_(bytes) {}

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Where temporary files go: TMPDIR, or what the system has instead.
std::string temporary_directory();

/// Bytes that a file in `directory` may still take. On a file system that lives in memory, no more
/// than available_memory(). Throws ERR_INVALID_ARGUMENT where it is no directory.
std::size_t available_disk(const std::string& directory);

}  // namespace secondorder::mfac
