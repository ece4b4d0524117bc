// Saved windows: exact, and refused where a byte is missing or another one.
#include "mfac/window_file.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "dense_window.hpp"

using namespace secondorder;
using namespace secondorder::test;
using mfac::FisherWindow;
using mfac::FisherWindowOptions;

namespace {

namespace fs = std::filesystem;

/// A folder of its own for each test.
class Folder {
 public:
  Folder() {
    static int number = 0;
    path_ = fs::temp_directory_path() /
            ("secondorder-window-" + std::to_string(getpid()) + "-" + std::to_string(number++));
    fs::create_directory(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const char* name) const { return (path_ / name).string(); }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

ErrorCode code_of_loading(const std::string& path) {
  try {
    FisherWindow::load(path, freely);
  } catch (const Error& error) {
    return error.code;
  }
  return ErrorCode::internal;
}

}  // namespace

TEST_SUITE("window file") {
  TEST_CASE("a loaded window goes on bit by bit as the saved one") {
    const Folder folder;
    int variant = 0;
    for (const Storage storage :
         {Storage::float32, Storage::bfloat16, Storage::float16, Storage::int8}) {
      for (const std::size_t steps : {0UL, 3UL, 6UL, 23UL}) {
        for (const bool masked : {false, true}) {
          CAPTURE(std::string(name(storage)));
          CAPTURE(steps);
          CAPTURE(masked);
          FisherWindowOptions options{
              .dimension = 1500, .capacity = 6, .damping = 1e-3, .storage = storage, .active = {}};
          options.normalize =
              ++variant % 2 == 0 ? mfac::Normalize::count : mfac::Normalize::capacity;
          if (masked) {
            for (std::uint32_t j = 2; j < 1500; j += 7) options.active.push_back(j);
          }
          FisherWindow window(options);
          Random random(steps);
          for (std::size_t i = 0; i < steps; ++i)
            push_and_solve(window, normal_floats(1500, random));
          if (steps == 3) window.set_damping(2e-3);
          window.save(folder.file("window"), freely);
          const auto loaded = FisherWindow::load(folder.file("window"), freely);
          CHECK(loaded->size() == window.size());
          CHECK(loaded->damping() == window.damping());
          CHECK(loaded->options().normalize == options.normalize);
          CHECK(loaded->options().active == options.active);
          CHECK(stored_gradients(*loaded) == stored_gradients(window));
          for (int i = 0; i < 8; ++i) {
            const auto g = normal_floats(1500, random);
            CHECK(identical(push_and_solve(*loaded, g), push_and_solve(window, g)));
          }
        }
      }
    }
    CHECK(folder.entries() == 1);
  }

  TEST_CASE("truncated at any byte, or with any byte changed: ERR_FORMAT") {
    const Folder folder;
    FisherWindowOptions options{.dimension = 9, .capacity = 3, .damping = 1e-3, .active = {0, 4}};
    FisherWindow window(options);
    Random random(1);
    for (int i = 0; i < 4; ++i) push_and_solve(window, normal_floats(9, random));
    window.save(folder.file("whole"), freely);
    const std::string whole = contents(folder.file("whole"));
    const std::string part = folder.file("part");
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      write(part, whole.substr(0, length));
      CHECK(code_of_loading(part) == ErrorCode::format);
      std::string changed = whole;
      changed[length] = static_cast<char>(changed[length] ^ (1 << (length % 8)));
      write(part, changed);
      CHECK(code_of_loading(part) == ErrorCode::format);
    }
    write(part, whole + "x");
    CHECK(code_of_loading(part) == ErrorCode::format);
    write(part, std::string(10'000, 'x'));
    CHECK(code_of_loading(part) == ErrorCode::format);
    write(part, whole);
    CHECK(code_of_loading(part) == ErrorCode::internal);  // no error
  }

  TEST_CASE("paths that can't be read or written, and what stays after a failure") {
    const Folder folder;
    FisherWindow window({.dimension = 9, .capacity = 3, .damping = 1e-3, .active = {}});
    CHECK(code_of_loading(folder.file("missing")) == ErrorCode::invalid_argument);
    CHECK_THROWS_AS(window.save(folder.file("missing") + "/window", freely), Error);

    window.push(host(std::vector<float>(9, 1.0F)), {}, freely);
    window.save(folder.file("window"), freely);
    const std::string before = contents(folder.file("window"));
    RunControl cancelled;
    cancelled.cancel();
    CHECK_THROWS_AS(window.save(folder.file("window"), cancelled), Cancelled);
    CHECK_THROWS_AS(FisherWindow::load(folder.file("window"), cancelled), Cancelled);
    CHECK(folder.entries() == 1);
    CHECK(contents(folder.file("window")) == before);

    fs::create_directory(folder.file("folder"));
    CHECK_THROWS_AS(window.save(folder.file("folder"), freely), Error);
    CHECK(folder.entries() == 2);
  }

  TEST_CASE("the checksum is CRC-64/XZ, whatever pieces it is given") {
    const std::string text = "123456789";
    const auto bytes = std::as_bytes(std::span(text));
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      mfac::Checksum checksum;
      checksum.add(bytes.first(cut));
      checksum.add(bytes.subspan(cut));
      CHECK(checksum.value() == 0x995DC9BBDF1939FA);
    }
  }
}
