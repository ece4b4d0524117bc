// Work that was issued on a stream once, as a graph: from then on the device is given all of it by
// one call.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "failure.hpp"

namespace secondorder::cuda {

struct DestroyGraph {
  void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
  void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
};
template <class Handle>
using GraphHandle = std::unique_ptr<std::remove_pointer_t<Handle>, DestroyGraph>;

/// What can be launched. May be destroyed while it runs.
using ExecutableGraph = GraphHandle<cudaGraphExec_t>;

/// A stream in capture mode: what this thread issues on it is kept and not done. Nothing may be
/// waited for, allocated or freed by the thread meanwhile. Captures of other threads don't matter.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
          "cudaStreamBeginCapture");
  }
  /// Ends the capture in any case, and forgets what came of it.
  ~Capture() {
    if (stream_ == nullptr) return;
    end();
    cudaGetLastError();
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// What was captured; fails where a call was made that can't be.
  ExecutableGraph finish() {
    const auto [graph, status] = end();
    check(status, "cudaStreamEndCapture");
    cudaGraphExec_t executable = nullptr;
    check(cudaGraphInstantiate(&executable, graph.get(), 0), "cudaGraphInstantiate");
    return ExecutableGraph(executable);
  }

 private:
  struct Ended {
    GraphHandle<cudaGraph_t> graph;
    cudaError_t status;
  };
  Ended end() {
    cudaGraph_t graph = nullptr;
    const cudaError_t status = cudaStreamEndCapture(std::exchange(stream_, nullptr), &graph);
    return {GraphHandle<cudaGraph_t>(graph), status};
  }

  cudaStream_t stream_;
};

}  // namespace secondorder::cuda
