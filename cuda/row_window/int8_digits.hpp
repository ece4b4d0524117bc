// Numbers that multiply int8 rows as three digits of 15 bits, whose products with the rows are
// summed in exact 32-bit integers: as on the CPU (cpp/algebra/cpu/kernels/int8_digits.hpp).
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "row_window/elements.hpp"

namespace secondorder::cuda {

inline constexpr int digits = 3;
inline constexpr double digit_base = 0x1p15;
/// The largest number to be split becomes this: its highest digit is then at most 2^14, and 1,024
/// products with int8 fit 32 bits.
inline constexpr double split_range = 0x1p44;
/// Numbers below this count as 0: their reciprocals would overflow.
inline constexpr double negligible = 0x1p-900;
/// Rows, or columns, that are summed up in 32-bit integers.
inline constexpr unsigned integer_sum_rows = 1024;

struct Digits {
  int digit[digits];  ///< the lowest first
};

__device__ inline int nearest(double value) {
  return static_cast<int>(value + (value < 0 ? -0.5 : 0.5));
}

/// Of |value| ≤ 2^44.
__device__ inline Digits split(double value) {
  const int high = nearest(value * 0x1p-30);
  const double rest = value - static_cast<double>(high) * 0x1p30;
  const int middle = nearest(rest * 0x1p-15);
  return {{nearest(rest - static_cast<double>(middle) * digit_base), middle, high}};
}

__device__ inline double joined(int low, int middle, int high) {
  return (static_cast<double>(high) * digit_base + static_cast<double>(middle)) * digit_base +
         static_cast<double>(low);
}

/// Two digits in the halves of a word.
__device__ inline std::uint32_t pair_of(int low_half, int high_half) {
  return (static_cast<std::uint32_t>(low_half) & 0xFFFFU) |
         (static_cast<std::uint32_t>(high_half) << 16);
}

/// sum + Σ of the four products of bytes.
__device__ inline int add_products(std::uint32_t a, std::uint32_t b, int sum) {
#ifdef __CUDA_ARCH__
  return __dp4a(static_cast<int>(a), static_cast<int>(b), sum);
#else
  for (int i = 0; i < 4; ++i) {
    sum += static_cast<std::int8_t>(a >> (8 * i)) * static_cast<std::int8_t>(b >> (8 * i));
  }
  return sum;
#endif
}

/// sum + the products of a pair of digits with the lower (upper) two bytes.
template <bool upper>
__device__ int add_digit_products(std::uint32_t pair, std::uint32_t bytes, int sum) {
#ifdef __CUDA_ARCH__
  return upper ? __dp2a_hi(static_cast<int>(pair), static_cast<int>(bytes), sum)
               : __dp2a_lo(static_cast<int>(pair), static_cast<int>(bytes), sum);
#else
  if (upper) bytes >>= 16;
  return sum + static_cast<std::int16_t>(pair) * static_cast<std::int8_t>(bytes) +
         static_cast<std::int16_t>(pair >> 16) * static_cast<std::int8_t>(bytes >> 8);
#endif
}

/// The lower (upper) two bytes of two words, interleaved: a0 b0 a1 b1 (a2 b2 a3 b3).
template <bool upper>
__device__ std::uint32_t interleaved(std::uint32_t a, std::uint32_t b) {
#ifdef __CUDA_ARCH__
  return __byte_perm(a, b, upper ? 0x7362 : 0x5140);
#else
  if (upper) a >>= 16, b >>= 16;
  return (a & 0xFFU) | (b & 0xFFU) << 8 | (a & 0xFF00U) << 8 | (b & 0xFF00U) << 16;
#endif
}

}  // namespace secondorder::cuda
