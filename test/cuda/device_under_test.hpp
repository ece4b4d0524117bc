// The backend that the device tests run on: in core_test the CUDA sources over the emulation, in
// device_test the plugin on a GPU.
#pragma once

#include "device/backend.hpp"

namespace secondorder::test {

Backend& backend_under_test();

/// The device the tests use.
inline constexpr int device_under_test = 0;

/// Kernels run on the CPU then, thousands of times slower: large sizes are for the real device.
bool emulated();

}  // namespace secondorder::test
