// Tests of what happens where the emulated device runs out of memory.
#pragma once

#include <doctest/doctest.h>

#include "base/error.hpp"
#include "base/function_ref.hpp"
#include "device.hpp"

namespace secondorder::test {

/// The device's memory while this lives.
struct MemoryLimit {
  explicit MemoryLimit(std::size_t bytes) { emulation::set_memory_limit(bytes); }
  ~MemoryLimit() { emulation::set_memory_limit(std::size_t{1} << 30); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
};

/// Whether `body` throws Error(out_of_memory).
inline bool out_of_memory(FunctionRef<void()> body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code == ErrorCode::out_of_memory);
    return true;
  }
  return false;
}

}  // namespace secondorder::test
