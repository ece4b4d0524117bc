// float16 for the emulation, by the compiler's own type.
#pragma once

#include <bit>
#include <cstdint>

struct __half {
  std::uint16_t bits;
};
inline float __half2float(__half value) {
  return static_cast<float>(std::bit_cast<_Float16>(value.bits));
}
/// To the nearest, ties to even.
inline __half __float2half(float value) {
  return {std::bit_cast<std::uint16_t>(static_cast<_Float16>(value))};
}
inline __half __float2half_rn(float value) { return __float2half(value); }
inline __half __ushort_as_half(unsigned short bits) { return {bits}; }
inline unsigned short __half_as_ushort(__half value) { return value.bits; }
