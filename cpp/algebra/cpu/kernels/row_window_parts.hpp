// What the sources of the row-window kernels have of one another, in each instruction set.
#pragma once

#include <cstdint>
#include <cstring>

#include "algebra/cpu/row_window_kernels.hpp"

namespace secondorder::SECONDORDER_ISA {

#if defined(__AVX512F__)
constexpr std::size_t vector_bytes = 64;
#elif defined(__AVX2__)
constexpr std::size_t vector_bytes = 32;
#else
constexpr std::size_t vector_bytes = 16;
#endif

/// Asks for the lines of a group that a pass comes to later, in two steps: from memory to the
/// second cache, which has room for many requests, and from there to the first one. Either alone
/// leaves a tenth to a fifth of the bandwidth unused, and none two fifths.
template <std::size_t height>
[[gnu::always_inline]] inline void prefetch(const std::byte* data) {
  constexpr std::size_t near = 48 * line_bytes, far = 256 * line_bytes;
#pragma GCC unroll 8
  for (std::size_t r = 0; r < height; ++r) {
    __builtin_prefetch(data + r * line_bytes + near, 0, 3);
    __builtin_prefetch(data + r * line_bytes + far, 0, 2);
  }
}

template <class Vector, class From>
[[gnu::always_inline]] inline Vector load(const From* from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

/// Calls body.template operator()<height>() for a group of 1 to 8 rows.
template <std::size_t step, class Body>
[[gnu::always_inline]] inline void with_height(std::size_t height, const Body& body) {
  if (height == 8) return body.template operator()<8>();
  if constexpr (step == 1) {
    if (height == 7) return body.template operator()<7>();
    if (height == 5) return body.template operator()<5>();
    if (height == 3) return body.template operator()<3>();
    if (height == 1) return body.template operator()<1>();
  }
  if (height == 6) return body.template operator()<6>();
  if (height == 4) return body.template operator()<4>();
  if (height == 2) return body.template operator()<2>();
}

extern const RowKernels int8_rows;

void update_factor(std::size_t n, const double* l, std::size_t l_stride, double* x, double* out,
                   std::size_t out_stride);

}  // namespace secondorder::SECONDORDER_ISA
