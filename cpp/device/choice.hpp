// Which device a run takes: what was asked for, or, on `auto`, a GPU where there is one and the
// work is enough for it to gain.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/function_ref.hpp"
#include "device/backend.hpp"
#include "device/cost.hpp"
#include "device/request.hpp"

namespace secondorder {

struct DeviceChoice {
  std::vector<int> gpus;             ///< none: the CPU
  std::string reason = "asked for";  ///< as a user reads it, after the device's name

  bool gpu() const { return !gpus.empty(); }
  /// Its public name, such as "cpu" or "cuda:0"; several GPUs are joined by commas.
  std::string name() const;
};

/// The CPU for `request` Kind::cpu. Otherwise `use(backend, gpus)` is to set the run up on GPUs:
/// what it throws is thrown here where GPUs were asked for, and is the reason for taking the CPU on
/// `auto`, which doesn't call it in the first place where `work` is faster on the CPU by estimate.
DeviceChoice choose_device(const DeviceRequest& request, const Work& work, int threads,
                           FunctionRef<void(Backend& backend, std::span<const int> gpus)> use);

/// Throws ERR_CUDA_NO_DEVICE unless all of these are there; and what backend() throws.
void require_gpus(std::span<const int> gpus);

}  // namespace secondorder
