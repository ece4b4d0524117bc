#include "device_under_test.hpp"

#include "device/plugin.hpp"

extern "C" secondorder::Backend* secondorder_cuda_open(const secondorder::HostServices& services);

namespace secondorder::test {

Backend& backend_under_test() {
  static Backend& backend = *secondorder_cuda_open(host_services());
  return backend;
}

bool emulated() { return true; }

}  // namespace secondorder::test
