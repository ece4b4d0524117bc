#include "failure.hpp"

#include <cstdlib>

namespace secondorder::cuda {

namespace {

HostServices host;

ErrorCode code_of(cudaError_t status) {
  switch (status) {
    case cudaErrorInsufficientDriver:
      return ErrorCode::cuda_no_driver;
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorDevicesUnavailable:
      return ErrorCode::cuda_no_device;
    case cudaErrorMemoryAllocation:
      return ErrorCode::out_of_memory;
    default:
      return ErrorCode::cuda;
  }
}

}  // namespace

void set_services(const HostServices& services) { host = services; }

void fail(ErrorCode code, const std::string& message, const char* argument) {
  host.raise(code, message.c_str(), argument);
  std::abort();  // raise doesn't return
}

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  fail(code_of(status), std::string(call) + ": " + cudaGetErrorString(status) + " (" +
                            cudaGetErrorName(status) + ")");
}

void fail_out_of_memory(std::size_t need) {
  cudaGetLastError();
  std::size_t left = 0, total = 0;
  check(cudaMemGetInfo(&left, &total), "cudaMemGetInfo");
  fail(ErrorCode::out_of_memory, "The GPU has " + std::to_string(left) + " bytes free of " +
                                     std::to_string(total) + ", and " + std::to_string(need) +
                                     " more are needed");
}

bool attempt(FunctionRef<void()> body) { return host.attempt(body); }

void cancel() {
  host.cancel();
  std::abort();  // doesn't return
}

}  // namespace secondorder::cuda
