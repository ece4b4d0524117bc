#include "convex_relu/placement.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "algebra/cpu/cpu_algebra.hpp"
#include "base/error.hpp"
#include "base/thread_pool.hpp"

namespace secondorder::convex_relu {

namespace {

/// Of a GPU's free memory, left to CUDA: modules, and what its libraries allocate as they go.
constexpr std::size_t gpu_reserve = std::size_t{64} << 20;

template <class Real>
std::unique_ptr<Algebra<Real>> gpu_algebra(Backend& backend, int gpu, const Options& options,
                                           int threads) {
  const int host_threads = threads > 0 ? threads : available_threads();
  if constexpr (std::is_same_v<Real, float>) {
    return backend.float_algebra(gpu, options.products, host_threads);
  } else {
    return backend.double_algebra(gpu, host_threads);
  }
}

}  // namespace

template <class Real>
Placement<Real> place(std::size_t rows, std::size_t cols, std::size_t outputs,
                      const Options& options, int threads) {
  const GatedShape shape = largest_shape(rows, cols, outputs, options);
  Placement<Real> placement;
  const auto use = [&](Backend& backend, std::span<const int> gpus) {
    placement.algebras.clear();
    std::size_t free = std::numeric_limits<std::size_t>::max();
    for (const int gpu : gpus) {
      placement.algebras.push_back(gpu_algebra<Real>(backend, gpu, options, threads));
      free = std::min(free, backend.facts(gpu).free_bytes);
    }
    placement.gpu_bytes = free > gpu_reserve ? free - gpu_reserve : 0;
    placement.device.gpus.assign(gpus.begin(), gpus.end());  // for the room
    plan_run(*placement.algebras.front(), shape, cols, false, options,
             placement.room(std::numeric_limits<std::size_t>::max()));
  };
  const Work work = work_of(shape, options, sizeof(Real));
  placement.device = choose_device(options.device, work, threads, use);
  if (!placement.device.gpu()) {
    placement.algebras.clear();  // of a GPU that lacked something
    placement.algebras.push_back(std::make_unique<CpuAlgebra<Real>>(threads));
  }
  return placement;
}

template Placement<float> place(std::size_t, std::size_t, std::size_t, const Options&, int);
template Placement<double> place(std::size_t, std::size_t, std::size_t, const Options&, int);

}  // namespace secondorder::convex_relu
