// How float32, bfloat16 and float16 elements are rounded into a cache line, and widened from it.
#pragma once

#include "algebra/cpu/kernels/row_window_parts.hpp"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace secondorder::SECONDORDER_ISA {

namespace {

constexpr std::size_t lanes = vector_bytes / sizeof(double);
using Doubles [[gnu::vector_size(vector_bytes)]] = double;
using Floats [[gnu::vector_size(vector_bytes / 2)]] = float;
using Words [[gnu::vector_size(vector_bytes / 2)]] = std::uint32_t;

float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

[[gnu::always_inline]] inline Doubles to_doubles(Floats values) {
#if defined(__AVX512F__)  // GCC makes two halves of a plain conversion; the mask quiets a warning
  return _mm512_maskz_cvtps_pd(0xFF, values);
#else
  return __builtin_convertvector(values, Doubles);
#endif
}

struct Float32 {
  static constexpr std::size_t per_line = 16;

  [[gnu::always_inline]] static Doubles widen(const std::byte* line, std::size_t column) {
    return to_doubles(load<Floats>(line + column * 4));
  }
  static void encode_line(const float* values, float, std::byte* line) {
    std::memcpy(line, values, line_bytes);
  }
};

struct Bfloat16 {
  static constexpr std::size_t per_line = 32;

  [[gnu::always_inline]] static Doubles widen(const std::byte* line, std::size_t column) {
    const Words words = load<Words>(line + column % 16 * 4);
    const Words bits = column < 16 ? words << 16 : words & 0xFFFF0000U;
    return to_doubles(reinterpret_cast<Floats>(bits));
  }
  /// To the nearest, ties to even; at most the largest finite number.
  [[gnu::always_inline]] static std::uint32_t round(float value) {
    const std::uint32_t bits = bits_of(value), sign = bits & 0x80000000U;
    const std::uint32_t rounded = ((bits & 0x7FFFFFFFU) + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
    return (rounded < 0x7F7FU ? rounded : 0x7F7FU) | (sign >> 16);
  }
  static void encode_line(const float* values, float, std::byte* line) {
    std::uint32_t words[16];
#pragma omp simd
    for (std::size_t w = 0; w < 16; ++w) {
      words[w] = round(values[w]) | (round(values[w + 16]) << 16);
    }
    std::memcpy(line, words, line_bytes);
  }
};

struct Float16 {
  static constexpr std::size_t per_line = 32;

  [[gnu::always_inline]] static Doubles widen(const std::byte* line, std::size_t column) {
    const std::byte* from = line + column * 2;
#if defined(__AVX512F__)
    return to_doubles(_mm256_cvtph_ps(load<__m128i>(from)));
#elif defined(__F16C__)
    const __m128i halves = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    return to_doubles(_mm_cvtph_ps(halves));
#else
    Doubles values;
    for (std::size_t i = 0; i < lanes; ++i) {
      values[i] = static_cast<double>(value(load<std::uint16_t>(from + 2 * i)));
    }
    return values;
#endif
  }
  static float value(std::uint32_t half) {
    return float_of((half & 0x8000U) << 16 | (half & 0x7FFFU) << 13) * 0x1p112F;
  }
  /// To the nearest, ties to even, for magnitudes up to 2^15.
  static std::uint32_t round(float value) {
    const std::uint32_t sign = bits_of(value) >> 31 << 15, size = bits_of(value) & 0x7FFFFFFFU;
    if (size < bits_of(0x1p-14F)) {
      return sign | (bits_of(float_of(size) + 0.5F) - bits_of(0.5F));
    }
    return sign | ((size + 0xFFFU + ((size >> 13) & 1U) - (112U << 23)) >> 13);
  }
  static void encode_line(const float* values, float inverse, std::byte* line) {
    std::uint16_t halves[32];
#if defined(__F16C__)
    for (std::size_t j = 0; j < 32; j += 8) {
      const __m256 scaled = _mm256_mul_ps(load<__m256>(values + j), _mm256_set1_ps(inverse));
      const __m128i rounded = _mm256_cvtps_ph(scaled, _MM_FROUND_TO_NEAREST_INT);
      std::memcpy(halves + j, &rounded, sizeof rounded);
    }
#else
    for (std::size_t j = 0; j < 32; ++j) {
      halves[j] = static_cast<std::uint16_t>(round(values[j] * inverse));
    }
#endif
    std::memcpy(line, halves, line_bytes);
  }
};

}  // namespace

}  // namespace secondorder::SECONDORDER_ISA
