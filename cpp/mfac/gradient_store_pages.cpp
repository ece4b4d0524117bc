#include "mfac/gradient_store_pages.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/memory_facts.hpp"

namespace secondorder::mfac {

namespace {

[[noreturn]] void no_file(const std::string& directory, int reason) {
  throw Error(ErrorCode::invalid_argument,
              "no temporary file can be made in " + directory + ": " +
                  std::generic_category().message(reason),
              "directory");
}

/// A file descriptor, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(number_); }
  int number() const { return number_; }

 private:
  int number_;
};

int open_nameless(const std::string& directory) {
  const int file = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  // EISDIR comes from kernels, and EOPNOTSUPP from file systems, that have no such files.
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  std::string name = directory + "/secondorder-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

}  // namespace

Pages Pages::in_memory(std::size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  madvise(data, bytes, MADV_HUGEPAGE);  // columns are read across rows that lie pages apart
  return {static_cast<std::byte*>(data), bytes};
}

Pages Pages::on_disk(std::size_t bytes, const std::string& directory) {
  const std::size_t available = available_disk(directory);
  const auto refuse = [&] {
    throw Error(ErrorCode::out_of_memory, "the gradients need " + std::to_string(bytes) +
                                              " more bytes on disk, and " + directory + " has " +
                                              std::to_string(available));
  };
  if (bytes > available) refuse();
  const int opened = open_nameless(directory);
  if (opened < 0) no_file(directory, errno);
  const Descriptor file(opened);
  // Reserved now: a page that finds no room later ends the process.
  const int failure = posix_fallocate(file.number(), 0, static_cast<off_t>(bytes));
  if (failure == ENOSPC || failure == EFBIG) refuse();
  if (failure != 0) no_file(directory, failure);
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  return {static_cast<std::byte*>(data), bytes};
}

Pages::Pages(Pages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Pages& Pages::operator=(Pages&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Pages::~Pages() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

std::string temporary_directory() {
  std::error_code failure;
  const std::filesystem::path path = std::filesystem::temp_directory_path(failure);
  return failure ? "." : path.string();
}

std::size_t available_disk(const std::string& directory) {
  struct statfs facts = {};
  if (statfs(directory.c_str(), &facts) != 0) no_file(directory, errno);
  const std::size_t free =
      static_cast<std::size_t>(facts.f_bavail) * static_cast<std::size_t>(facts.f_bsize);
  const bool in_memory = facts.f_type == TMPFS_MAGIC || facts.f_type == RAMFS_MAGIC;
  return in_memory ? std::min(free, available_memory()) : free;
}

}  // namespace secondorder::mfac
