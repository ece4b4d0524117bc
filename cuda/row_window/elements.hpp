// How elements are rounded into a row and read from it: bit by bit as on the CPU
// (cpp/algebra/cpu/kernels/row_elements.hpp, row_window_int8.cpp), so that a window saved on one
// device goes on on another.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

#include "row_window/tile_layout.hpp"

namespace secondorder::cuda {

/// 16 bytes that nobody reads again soon: past the first cache.
__device__ inline uint4 load_streaming(const std::byte* from) {
#ifdef __CUDA_ARCH__
  uint4 chunk;
  asm("ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
      : "=r"(chunk.x), "=r"(chunk.y), "=r"(chunk.z), "=r"(chunk.w)
      : "l"(from));
  return chunk;
#else
  uint4 chunk;
  std::memcpy(&chunk, from, sizeof chunk);
  return chunk;
#endif
}

__host__ __device__ inline float float_of(std::uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

__host__ __device__ inline std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// a · b, rounded before anything is added to it.
__device__ inline double rounded_product(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}

__host__ __device__ constexpr std::uint32_t word(const uint4& chunk, int index) {
  return index == 0 ? chunk.x : index == 1 ? chunk.y : index == 2 ? chunk.z : chunk.w;
}

/// The float64 whose upper word this is, the lower one being 0.
__device__ inline double double_of_upper(std::int32_t word) {
#ifdef __CUDA_ARCH__
  return __hiloint2double(word, 0);
#else
  const std::uint64_t bits = std::uint64_t{static_cast<std::uint32_t>(word)} << 32;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
#endif
}

// Each storage has
//   per_chunk                 columns of the 16 bytes that a thread reads
//   column(chunk, i)          where in its block column i of a chunk lies
//   widen(chunk, i)           its value but for the scale, divided by unit²: exact
//   unit                      a power of two
//   scale(largest)            of a block whose largest magnitude is that
//   encode(value, scale)      the bits of an element
//   element<T>(row, column)   where those are written

// Why unit: the digits of a bfloat16 or float16 are put into their place in a float64, whose
// exponent has another bias; unit² is the difference. Converting would keep the conversion unit
// busy for half of a pass. Factors of elements are multiplied by unit, and so are sums of products,
// which is exact and leaves room for factors up to 10^150 and products down to 10^-150.

struct Float32 {
  using Bits = std::uint32_t;
  static constexpr int per_chunk = 4;
  static constexpr bool scaled = false;
  static constexpr double unit = 1;

  __device__ static unsigned column(unsigned chunk, unsigned i) { return chunk * 4 + i; }
  __device__ static double widen(const uint4& chunk, int i) {
    return static_cast<double>(float_of(word(chunk, i)));
  }
  __device__ static float scale(float) { return 1; }
  __device__ static Bits encode(float value, float) { return bits_of(value); }
  __host__ __device__ static float decode(Bits bits) { return float_of(bits); }
  __host__ __device__ static unsigned place(unsigned column) { return column; }
};

struct Bfloat16 {
  using Bits = std::uint16_t;
  static constexpr int per_chunk = 8;
  static constexpr bool scaled = false;
  static constexpr double unit = 0x1p448;

  /// Words of a line hold columns w and w + 16.
  __device__ static unsigned column(unsigned chunk, unsigned i) {
    return chunk / 4 * 32 + chunk % 4 * 4 + (i < 4 ? i : i + 12);
  }
  __device__ static double widen(const uint4& chunk, int i) {
    const std::uint32_t both = word(chunk, i % 4);
    const auto bits = static_cast<std::int32_t>(i < 4 ? both << 16 : both);
    return double_of_upper((bits >> 3) & static_cast<std::int32_t>(0x8FFFE000U));
  }
  __device__ static float scale(float) { return 1; }
  /// To the nearest, ties to even; at most the largest finite number.
  __device__ static Bits encode(float value, float) {
    const std::uint32_t bits = bits_of(value), sign = bits & 0x80000000U;
    const std::uint32_t rounded = ((bits & 0x7FFFFFFFU) + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
    return static_cast<Bits>((rounded < 0x7F7FU ? rounded : 0x7F7FU) | (sign >> 16));
  }
  __host__ __device__ static float decode(Bits bits) { return float_of(std::uint32_t{bits} << 16); }
  /// Index of a column's element in its row.
  __host__ __device__ static unsigned place(unsigned column) {
    return column / 32 * 32 + column % 16 * 2 + column % 32 / 16;
  }
};

struct Float16 {
  using Bits = std::uint16_t;
  static constexpr int per_chunk = 8;
  static constexpr bool scaled = true;
  static constexpr double unit = 0x1p504;

  __device__ static unsigned column(unsigned chunk, unsigned i) { return chunk * 8 + i; }
  __device__ static double widen(const uint4& chunk, int i) {
    const std::uint32_t both = word(chunk, i / 2);
    const auto bits = static_cast<std::int32_t>(i % 2 == 0 ? both << 16 : both);
    return double_of_upper((bits >> 6) & static_cast<std::int32_t>(0x81FFFC00U));
  }
  /// The power of two that brings the largest value into [2^14, 2^15); 1 for a block of zeros.
  __device__ static float scale(float largest) {
    if (largest == 0) return 1;
    const int exponent = static_cast<int>(bits_of(largest) >> 23) - 127 - 14;
    return float_of(static_cast<std::uint32_t>((exponent < -126 ? -126 : exponent) + 127) << 23);
  }
  /// To the nearest, ties to even, of magnitudes up to 2^15.
  __device__ static Bits encode(float value, float scale) {
    const float inverse = float_of((254U << 23) - bits_of(scale));  // 1 / scale, a power of two
    const std::uint32_t scaled_bits = bits_of(value * inverse);
    const std::uint32_t sign = scaled_bits >> 31 << 15, size = scaled_bits & 0x7FFFFFFFU;
    if (size < (113U << 23)) {  // below 2^-14: a multiple of 2^-24
      return static_cast<Bits>(sign | (bits_of(float_of(size) + 0.5F) - bits_of(0.5F)));
    }
    return static_cast<Bits>(sign | ((size + 0xFFFU + ((size >> 13) & 1U) - (112U << 23)) >> 13));
  }
  __host__ __device__ static float decode(Bits bits) {
    return float_of((bits & 0x8000U) << 16 | (bits & 0x7FFFU) << 13) * 0x1p112F;
  }
  __host__ __device__ static unsigned place(unsigned column) { return column; }
};

struct Int8 {
  using Bits = std::int8_t;
  static constexpr int per_chunk = 16;
  static constexpr bool scaled = true;

  __device__ static float scale(float largest) { return largest / 127; }
  /// To the nearest. A scale that is no normal number would be too coarse to divide by: such a
  /// block rounds to 0.
  __device__ static double inverse(float scale, float largest) {
    return scale < 0x1p-126F ? 0.0 : 127 / static_cast<double>(largest);
  }
  __device__ static Bits encode(float value, double inverse) {
    const double scaled = rounded_product(static_cast<double>(value), inverse);
    return static_cast<Bits>(static_cast<int>(scaled + (scaled < 0 ? -0.5 : 0.5)));
  }
  __host__ __device__ static float decode(Bits bits) { return static_cast<float>(bits); }
  __host__ __device__ static unsigned place(unsigned column) { return column; }
};

}  // namespace secondorder::cuda
