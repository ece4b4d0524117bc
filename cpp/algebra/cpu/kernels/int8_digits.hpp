// Vectors of 16-bit and 32-bit integers, and numbers as digits of 15 bits.
#pragma once

#include <cmath>

#include "algebra/cpu/kernels/row_window_parts.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace secondorder::SECONDORDER_ISA {

namespace {

using Shorts [[gnu::vector_size(vector_bytes)]] = std::int16_t;
using Ints [[gnu::vector_size(vector_bytes)]] = std::int32_t;

constexpr std::size_t columns_per_line = 64;
constexpr std::size_t pair_bytes = 2 * line_bytes;
constexpr double digit_base = 0x1p15;
/// The largest number to be split becomes this: its highest digit is then at most 2^14, and 1,024
/// products with int8 fit 32 bits.
constexpr double split_range = 0x1p44;
/// Numbers below this count as 0: their reciprocals would overflow.
constexpr double negligible = 0x1p-900;

/// a[0]·b[0] + a[1]·b[1], a[2]·b[2] + a[3]·b[3], …
[[gnu::always_inline]] inline Ints multiply_add(Shorts a, Shorts b) {
#if defined(__AVX512F__)
  return reinterpret_cast<Ints>(
      _mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Ints>(
      _mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Ints>(
      _mm_madd_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  const Ints x = reinterpret_cast<Ints>(a), y = reinterpret_cast<Ints>(b);
  return ((x << 16) >> 16) * ((y << 16) >> 16) + (x >> 16) * (y >> 16);
#endif
}

/// vector_bytes / 2 signed bytes, widened.
[[gnu::always_inline]] inline Shorts widen(const std::byte* bytes) {
#if defined(__AVX512F__)
  return reinterpret_cast<Shorts>(_mm512_cvtepi8_epi16(load<__m256i>(bytes)));
#elif defined(__AVX2__)
  return reinterpret_cast<Shorts>(_mm256_cvtepi8_epi16(load<__m128i>(bytes)));
#elif defined(__SSE2__)
  const __m128i half = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes));
  return reinterpret_cast<Shorts>(_mm_srai_epi16(_mm_unpacklo_epi8(half, half), 8));
#else
  using Bytes [[gnu::vector_size(vector_bytes / 2)]] = std::int8_t;
  return __builtin_convertvector(load<Bytes>(bytes), Shorts);
#endif
}

double largest_size(const double* values, std::size_t count) {
  double largest = 0;
#pragma omp simd reduction(max : largest)
  for (std::size_t j = 0; j < count; ++j) {
    const double size = std::fabs(values[j]);
    largest = size > largest ? size : largest;
  }
  return largest;
}

/// value = high·2^30 + middle·2^15 + low, for |value| ≤ 2^44.
struct Digits {
  std::int32_t high, middle, low;
};

/// To the nearest integer, for magnitudes that an int32 holds.
[[gnu::always_inline]] inline std::int32_t nearest(double value) {
  return static_cast<std::int32_t>(value + (value < 0 ? -0.5 : 0.5));
}

[[gnu::always_inline]] inline Digits split(double value) {
  const std::int32_t high = nearest(value * 0x1p-30);
  const double rest = value - static_cast<double>(high) * 0x1p30;
  const std::int32_t middle = nearest(rest * 0x1p-15);
  return {high, middle, nearest(rest - static_cast<double>(middle) * digit_base)};
}

}  // namespace

}  // namespace secondorder::SECONDORDER_ISA
