// The words and built-in functions of CUDA C++ that kernels use.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "block.hpp"

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static thread_local
#define __align__(bytes) alignas(bytes)
#define __grid_constant__

constexpr int warpSize = 32;

inline void __syncthreads() { secondorder::emulation::block_barrier(); }
inline int __syncthreads_count(int vote) {
  return static_cast<int>(secondorder::emulation::block_barrier(vote != 0));
}
inline int __syncthreads_or(int vote) { return __syncthreads_count(vote) != 0 ? 1 : 0; }
inline int __syncthreads_and(int vote) { return __syncthreads_count(vote == 0) == 0 ? 1 : 0; }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFU) {
  secondorder::emulation::warp_exchange(mask, 0, secondorder::emulation::lane());
}

namespace secondorder::emulation {

template <class T>
T shuffle(unsigned mask, T value, unsigned source) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = warp_exchange(mask, bits, source).value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Lane of a segment of `width` lanes, the caller's own where that is outside the segment.
inline unsigned within(unsigned width, int position) {
  const unsigned first = lane() / width * width;
  return position < 0 || position >= static_cast<int>(width)
             ? lane()
             : first + static_cast<unsigned>(position);
}

}  // namespace secondorder::emulation

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  namespace e = secondorder::emulation;
  const auto w = static_cast<unsigned>(width);
  return e::shuffle(mask, value, e::lane() / w * w + static_cast<unsigned>(source) % w);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  namespace e = secondorder::emulation;
  const auto w = static_cast<unsigned>(width);
  return e::shuffle(mask, value, e::within(w, static_cast<int>(e::lane() % w) ^ bits));
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  namespace e = secondorder::emulation;
  const auto w = static_cast<unsigned>(width);
  return e::shuffle(mask, value, e::within(w, static_cast<int>(e::lane() % w + by)));
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  namespace e = secondorder::emulation;
  const auto w = static_cast<unsigned>(width);
  return e::shuffle(mask, value,
                    e::within(w, static_cast<int>(e::lane() % w) - static_cast<int>(by)));
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  namespace e = secondorder::emulation;
  return e::warp_exchange(mask, predicate != 0 ? 1 : 0, e::lane()).ballot;
}
inline int __any_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) == mask ? 1 : 0;
}

// One thread of the system runs a block, so that these need no more than to be done at once.
template <class T, class U>
T atomicAdd(T* address, U value) {
  const T old = *address;
  *address = static_cast<T>(old + static_cast<T>(value));
  return old;
}
template <class T, class U>
T atomicMax(T* address, U value) {
  const T old = *address;
  *address = std::max(old, static_cast<T>(value));
  return old;
}
template <class T, class U>
T atomicMin(T* address, U value) {
  const T old = *address;
  *address = std::min(old, static_cast<T>(value));
  return old;
}
template <class T, class U>
T atomicOr(T* address, U value) {
  const T old = *address;
  *address = old | static_cast<T>(value);
  return old;
}
template <class T, class U>
T atomicExch(T* address, U value) {
  const T old = *address;
  *address = static_cast<T>(value);
  return old;
}
template <class T>
T atomicCAS(T* address, T expected, T value) {
  const T old = *address;
  if (old == expected) *address = value;
  return old;
}

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline int __dp4a(int a, int b, int sum) {
  for (int i = 0; i < 4; ++i) {
    sum += static_cast<std::int8_t>(a >> (8 * i)) * static_cast<std::int8_t>(b >> (8 * i));
  }
  return sum;
}
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline int __float2int_rn(float value) { return static_cast<int>(std::nearbyint(value)); }
template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcs(const T* address) {
  return *address;
}
template <class T>
void __stcs(T* address, T value) {
  *address = value;
}
