// How kernels are launched, by nvcc's runtime or by the emulation that the tests run them in.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <tuple>
#include <type_traits>

#include "failure.hpp"

#if defined(SECONDORDER_CUDA_EMULATION)
#include "block.hpp"
#include "streams.hpp"
#endif

namespace secondorder::cuda {

/// Blocks of `per_block` items that `count` items take, as a dimension of a grid.
inline unsigned blocks_for(std::size_t count, std::size_t per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

/// kernel<<<grid, block, shared_bytes, stream>>>(arguments...), which does nothing for an empty
/// grid. `stream` is of the current device.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            cudaStream_t stream, Arguments&&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments));
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  std::tuple<std::remove_cv_t<Parameters>...> values(static_cast<Parameters>(arguments)...);
#if defined(SECONDORDER_CUDA_EMULATION)
  check(emulation::check_launch(grid, block, shared_bytes, reinterpret_cast<const void*>(kernel)),
        "cudaLaunchKernel");
  const auto run = [=] {
    emulation::run_grid(grid, block, shared_bytes, [&] { std::apply(kernel, values); });
  };
  check(emulation::issue(stream, run), "cudaLaunchKernel");
#else
  std::apply(
      [&](auto&... value) {
        void* addresses[] = {static_cast<void*>(&value)..., nullptr};
        check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, addresses,
                               shared_bytes, stream),
              "cudaLaunchKernel");
      },
      values);
#endif
}

/// Lets launches of `kernel` on the current device ask for more than 48 KiB of dynamic shared
/// memory.
template <class... Parameters>
void allow_shared_bytes(void (*kernel)(Parameters...), std::size_t bytes) {
  check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                             cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
        "cudaFuncSetAttribute");
}

/// The block's dynamic shared memory, 16-byte aligned.
template <class T>
__device__ T* dynamic_shared() {
#if defined(SECONDORDER_CUDA_EMULATION)
  return static_cast<T*>(emulation::dynamic_shared_memory());
#else
  extern __shared__ uint4 secondorder_dynamic_shared[];
  return reinterpret_cast<T*>(secondorder_dynamic_shared);
#endif
}

}  // namespace secondorder::cuda
