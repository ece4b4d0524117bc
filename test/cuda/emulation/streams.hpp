// What is issued on a stream: done at once, or kept where the stream is in capture, with its
// arguments by value, until the graph that it became is launched.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "runtime_api.hpp"

struct CUgraph_st {
  std::vector<std::function<void()>> nodes;
};
struct CUgraphExec_st : CUgraph_st {};
struct CUstream_st {
  enum class Capture { none, active, invalidated };
  Capture capture = Capture::none;
  std::thread::id capturing_thread;
  CUgraph_st captured;
};
struct CUevent_st {
  bool captured = false;  ///< last recorded in a stream in capture
};

namespace secondorder::emulation {

/// cudaErrorStreamCaptureInvalidated where the stream's capture has failed before.
cudaError_t issue(cudaStream_t stream, std::function<void()> work);

/// What a call returns that a thread may not make while it has a capture under way, which is
/// invalid from then on; cudaSuccess outside of captures.
cudaError_t refuse_in_capture();

/// The same of a call of cuBLAS or cuSOLVER, which counts as a launch; false where the library
/// refuses to be captured (set_refusal).
bool issue_library_call(cudaStream_t stream, std::function<void()> work);

}  // namespace secondorder::emulation
