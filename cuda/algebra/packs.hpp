// Neighbouring elements that a thread reads and writes at once, 16 bytes where addresses allow.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "algebra/view.hpp"

namespace secondorder::cuda {

template <class Real>
inline constexpr int pack_width = 16 / static_cast<int>(sizeof(Real));

template <class Real, int width>
struct alignas(sizeof(Real) * width) Pack {
  Real at[width];
};

template <int width, class Real>
__device__ Pack<Real, width> load(const Real* from) {
  return *reinterpret_cast<const Pack<Real, width>*>(from);
}

template <class Real, int width>
__device__ void store(Real* to, const Pack<Real, width>& pack) {
  *reinterpret_cast<Pack<Real, width>*>(to) = pack;
}

/// Whether every row of the view starts on 16 bytes and is whole packs long.
template <class Real>
bool packable(const View<Real>& view) {
  constexpr auto width = static_cast<std::size_t>(16 / sizeof(Real));
  return reinterpret_cast<std::uintptr_t>(view.data) % 16 == 0 && view.cols % width == 0 &&
         (view.rows <= 1 || view.stride % width == 0);
}

}  // namespace secondorder::cuda
