// Settings of an algebra over the emulated device and libraries.
#pragma once

#include "algebra/cuda_algebra.hpp"
#include "device_under_test.hpp"
#include "library.hpp"

namespace secondorder::test {

inline cuda::CudaSettings emulated_settings() {
  static_cast<void>(backend_under_test());  // sets the services that failures go through
  cuda::CudaSettings settings;
  settings.cublas = &cuda::cublas();
  settings.cusolver = &cuda::cusolver();
  return settings;
}

}  // namespace secondorder::test
