// Where a run's iterations take place: the algebras of the devices that were asked for, or that the
// size of the problem suggests, and the memory there is for it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "algebra/algebra.hpp"
#include "convex_relu/options.hpp"
#include "convex_relu/route.hpp"
#include "device/choice.hpp"

namespace secondorder::convex_relu {

template <class Real>
struct Placement {
  /// One of the CPU, or one of each GPU; what isn't cut into shards is done by the first.
  std::vector<std::unique_ptr<Algebra<Real>>> algebras;
  DeviceChoice device;
  std::size_t gpu_bytes = 0;  ///< free when they were chosen, on the GPU that had the least

  /// What a run may take there, beside `host` bytes.
  Room room(std::size_t host) const {
    Room room{.host = host};
    if (device.gpu()) room.gpu = gpu_bytes;
    room.gpus = algebras.size();
    return room;
  }
};

/// For rows × cols samples and `threads` threads (0: all). Throws what choose_device() and
/// plan_run() do, such as ERR_OUT_OF_MEMORY where a GPU that was asked for hasn't enough.
template <class Real>
Placement<Real> place(std::size_t rows, std::size_t cols, std::size_t outputs,
                      const Options& options, int threads);

}  // namespace secondorder::convex_relu
