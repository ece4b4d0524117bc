#include "mfac/window_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.hpp"

namespace secondorder::mfac {

namespace {

/// Tables for eight bytes at a time: entry [n][b] is the checksum of byte b with n zeros after it.
struct Tables {
  std::array<std::array<std::uint64_t, 256>, 8> entry{};

  constexpr Tables() {
    constexpr std::uint64_t polynomial = 0xC96C5795D7870F42;
    for (std::uint64_t byte = 0; byte < 256; ++byte) {
      std::uint64_t remainder = byte;
      for (int bit = 0; bit < 8; ++bit) {
        remainder = (remainder >> 1) ^ ((remainder & 1) * polynomial);
      }
      entry[0][byte] = remainder;
    }
    for (std::size_t n = 1; n < 8; ++n) {
      for (std::size_t byte = 0; byte < 256; ++byte) {
        const std::uint64_t before = entry[n - 1][byte];
        entry[n][byte] = (before >> 8) ^ entry[0][before & 0xFF];
      }
    }
  }
};

constexpr Tables tables;

}  // namespace

void Checksum::add(std::span<const std::byte> bytes) {
  const std::byte* from = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t state = state_;
  for (; left >= 8; left -= 8, from += 8) {
    std::uint64_t word = 0;
    for (int n = 0; n < 8; ++n) word |= std::to_integer<std::uint64_t>(from[n]) << (8 * n);
    word ^= state;
    state = 0;
    for (std::size_t n = 0; n < 8; ++n) state ^= tables.entry[7 - n][(word >> (8 * n)) & 0xFF];
  }
  for (; left > 0; --left, ++from) {
    state = (state >> 8) ^ tables.entry[0][(state ^ std::to_integer<std::uint64_t>(*from)) & 0xFF];
  }
  state_ = state;
}

// --- writing -------------------------------------------------------------------------------------

FileWriter::FileWriter(const std::string& path) : path_(path) {
  static std::atomic<unsigned> number = 0;
  temporary_ = path + "." + std::to_string(getpid()) + "-" + std::to_string(number++) + ".tmp";
  file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file_ < 0) fail("be written");
}

FileWriter::~FileWriter() {
  if (file_ < 0) return;
  close(file_);
  unlink(temporary_.c_str());
}

void FileWriter::fail(const char* what) const {
  throw Error(ErrorCode::invalid_argument, path_ + " cannot " + what + ": " + std::strerror(errno),
              "path");
}

void FileWriter::write(std::span<const std::byte> bytes) {
  checksum_.add(bytes);
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void FileWriter::finish() {
  if (fsync(file_) != 0 && errno != EINVAL) fail("be written");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("be replaced");
  close(file_);
  file_ = -1;
}

// --- reading -------------------------------------------------------------------------------------

FileReader::FileReader(const std::string& path) : path_(path) {
  file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts {};
  if (file_ < 0 || fstat(file_, &facts) != 0) {
    const int reason = errno;
    if (file_ >= 0) close(file_);
    throw Error(ErrorCode::invalid_argument, path + " cannot be read: " + std::strerror(reason),
                "path");
  }
  bytes_ = static_cast<std::uint64_t>(facts.st_size);
}

FileReader::~FileReader() { close(file_); }

void FileReader::refuse(const std::string& why) const {
  throw Error(ErrorCode::format, path_ + " " + why, "path");
}

void FileReader::read(std::span<std::byte> bytes) {
  std::span<std::byte> left = bytes;
  while (!left.empty()) {
    const ssize_t got = ::read(file_, left.data(), left.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) refuse("ends too early");
    left = left.subspan(static_cast<std::size_t>(got));
  }
  checksum_.add(bytes);
}

void FileReader::check_checksum() {
  const std::uint64_t expected = checksum_.value();
  if (get<std::uint64_t>() != expected) refuse("has been altered: its checksum does not fit");
}

}  // namespace secondorder::mfac
