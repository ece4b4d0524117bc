// Where a run's iterations take place: the algebra of the device that was asked for, or that the
// size of the problem suggests, and the memory there is for it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "algebra/algebra.hpp"
#include "convex_relu/options.hpp"
#include "device/choice.hpp"

namespace secondorder::convex_relu {

template <class Real>
struct Placement {
  std::unique_ptr<Algebra<Real>> algebra;
  DeviceChoice device;
  std::size_t gpu_bytes = 0;  ///< free there when it was chosen
};

/// For rows × cols samples and `threads` threads (0: all). Throws ERR_INVALID_ARGUMENT for several
/// GPUs, and what choose_device() does; ERR_OUT_OF_MEMORY where a GPU that was asked for hasn't
/// enough.
template <class Real>
Placement<Real> place(std::size_t rows, std::size_t cols, std::size_t outputs,
                      const Options& options, int threads);

}  // namespace secondorder::convex_relu
