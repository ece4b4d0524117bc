// How code of the backend fails: through the opener's functions, so that what is thrown is the
// opener's (see device/backend.hpp). What is on the stack here is cleaned up on the way.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <string>

#include "base/function_ref.hpp"
#include "device/backend.hpp"

namespace secondorder::cuda {

/// Who opened the backend; set before anything else is called.
void set_services(const HostServices& services);

/// Throws Error{code, message, argument} on the opener's side.
[[noreturn]] void fail(ErrorCode code, const std::string& message, const char* argument = "");

/// Fails unless `status` is success, with the name of the call, such as "cudaMemcpyAsync", and
/// CUDA's message. CUDA's own note of the error is cleared, so that the next call starts afresh.
void check(cudaError_t status, const char* call);

/// ERR_OUT_OF_MEMORY: what was asked for, and what the current device has left.
[[noreturn]] void fail_out_of_memory(std::size_t need);

/// Calls `body`; false where it failed by one of the above. Cancelled passes.
bool attempt(FunctionRef<void()> body);

/// Throws Cancelled on the opener's side.
[[noreturn]] void cancel();

}  // namespace secondorder::cuda
