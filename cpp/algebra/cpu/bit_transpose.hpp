// Bits of gates × rows from bits of rows × gates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "algebra/view.hpp"

namespace secondorder {

/// Transposes a 64 × 64 block of bits in place, by halves (Warren, Hacker's Delight, 7-3).
inline void transpose_block(std::array<std::uint64_t, 64>& block) {
  std::uint64_t mask = 0x00000000FFFFFFFFU;
  for (std::size_t half = 32; half != 0; half /= 2, mask ^= mask << half) {
    for (std::size_t k = 0; k < 64; k = ((k | half) + 1) & ~half) {
      const std::uint64_t swap = ((block[k] >> half) ^ block[k | half]) & mask;
      block[k] ^= swap << half;
      block[k | half] ^= swap;
    }
  }
}

/// `out` (from.gates rows of from.rows bits) = the transpose of `from`.
inline void transpose_bits(GateBits from, GateBits out) {
  for (std::size_t first = 0; first < from.rows; first += 64) {
    const std::size_t rows = from.rows - first < 64 ? from.rows - first : 64;
    for (std::size_t word = 0; word < from.stride(); ++word) {
      std::array<std::uint64_t, 64> block{};
      for (std::size_t k = 0; k < rows; ++k) block[k] = from.row(first + k)[word];
      transpose_block(block);
      for (std::size_t i = 0; i < 64 && word * 64 + i < from.gates; ++i) {
        out.row(word * 64 + i)[first / 64] = block[i];
      }
    }
  }
}

}  // namespace secondorder
