// Files that prove themselves: written beside their place and moved there when complete, ended by a
// checksum of all that comes before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

namespace secondorder::mfac {

/// CRC-64 (ECMA-182, reflected) of bytes that come piece by piece.
class Checksum {
 public:
  void add(std::span<const std::byte> bytes);
  std::uint64_t value() const { return ~state_; }

 private:
  std::uint64_t state_ = ~std::uint64_t{0};
};

/// Writes numbers as they are in memory. Throws ERR_INVALID_ARGUMENT for `path` where the system
/// refuses; a file that was not finished leaves no trace.
class FileWriter {
 public:
  explicit FileWriter(const std::string& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::span<const std::byte> bytes);
  template <class T>
  void write_all(std::span<const T> values) {
    write(std::as_bytes(values));
  }
  template <class T>
  requires(std::is_trivially_copyable_v<T>) void put(const T& value) {
    write(std::as_bytes(std::span(&value, 1)));
  }
  /// The checksum so far, which isn't part of itself.
  void put_checksum() { put(checksum_.value()); }
  /// Makes the file what is at its path.
  void finish();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string path_, temporary_;
  int file_ = -1;
  Checksum checksum_;
};

/// Reads what FileWriter wrote. Throws ERR_FORMAT for `path` where the file ends early or a
/// checksum disagrees.
class FileReader {
 public:
  explicit FileReader(const std::string& path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  void read(std::span<std::byte> bytes);
  template <class T>
  void read_all(std::span<T> values) {
    read(std::as_writable_bytes(values));
  }
  template <class T>
  requires(std::is_trivially_copyable_v<T>) T get() {
    T value;
    read(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  void check_checksum();
  std::uint64_t bytes() const { return bytes_; }
  [[noreturn]] void refuse(const std::string& why) const;

 private:
  std::string path_;
  int file_ = -1;
  std::uint64_t bytes_ = 0;
  Checksum checksum_;
};

}  // namespace secondorder::mfac
