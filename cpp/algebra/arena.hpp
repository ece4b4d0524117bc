// Memory planning: a solver lays out its whole workspace once, first on paper, then for real.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "algebra/view.hpp"

namespace secondorder {

/// Device memory as one owned block.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual std::byte* data() = 0;
};

/// Hands out matrices one after another from one block. Built without a block it only counts: run
/// the same layout over a counting arena to learn the bytes it needs, then over a real one.
class Arena {
 public:
  Arena() = default;
  Arena(std::unique_ptr<Memory> memory, std::size_t capacity)
      : memory_(std::move(memory)), capacity_(capacity) {}

  template <class T>
  View<T> matrix(std::size_t rows, std::size_t cols) {
    return {reinterpret_cast<T*>(take(rows * cols * sizeof(T))), rows, cols};
  }
  GateBits gate_bits(std::size_t rows, std::size_t gates) {
    const std::size_t words = rows * GateBits::words_per_row(gates);
    return {reinterpret_cast<std::uint64_t*>(take(words * sizeof(std::uint64_t))), rows, gates};
  }
  std::size_t bytes() const { return used_; }
  /// All that was handed out is free again, for another layout.
  void clear() { used_ = 0; }
  bool counting() const { return memory_ == nullptr; }

 private:
  std::byte* take(std::size_t bytes);

  static constexpr std::size_t alignment = 256;
  std::unique_ptr<Memory> memory_;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
};

}  // namespace secondorder
