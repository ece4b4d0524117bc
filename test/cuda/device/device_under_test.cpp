// The plugin of SECONDORDER_CUDA_PLUGIN, on the GPU of this machine.
#include "device_under_test.hpp"

#include <cstdlib>
#include <string>

#include "device/plugin.hpp"

namespace secondorder::test {

Backend& backend_under_test() {
  const char* const file = std::getenv("SECONDORDER_CUDA_PLUGIN");
  set_backend_sources({.files = {file == nullptr ? "secondorder-cuda.so" : file},
                       .advice = "name its file in SECONDORDER_CUDA_PLUGIN",
                       .version = SECONDORDER_VERSION});
  return backend();
}

/// Under a sanitizer a GPU is slow, too.
bool emulated() { return std::getenv("SECONDORDER_SMALL_TESTS") != nullptr; }

}  // namespace secondorder::test
