#include "streams.hpp"

#include <utility>

#include "device_state.hpp"

namespace secondorder::emulation {

namespace {

using Capture = CUstream_st::Capture;

/// The stream that this thread captures.
thread_local cudaStream_t captured_here = nullptr;

bool in_capture(cudaStream_t stream) {
  return stream != nullptr && stream->capture != Capture::none;
}

/// Waiting for a stream in capture, or asking for its state, is an error of whoever asks, and of
/// the capture.
cudaError_t refuse_where_captured(cudaStream_t stream) {
  if (!in_capture(stream)) return refuse_in_capture();
  stream->capture = Capture::invalidated;
  return result(cudaErrorStreamCaptureUnsupported);
}

cudaError_t refuse_where_captured(cudaEvent_t event) {
  const cudaError_t refused = refuse_in_capture();
  return event->captured ? result(cudaErrorCapturedEvent) : refused;
}

}  // namespace

cudaError_t issue(cudaStream_t stream, std::function<void()> work) {
  if (!in_capture(stream)) {
    work();
    return cudaSuccess;
  }
  if (stream->capture == Capture::invalidated) return result(cudaErrorStreamCaptureInvalidated);
  stream->captured.nodes.push_back(std::move(work));
  return cudaSuccess;
}

cudaError_t refuse_in_capture() {
  if (captured_here == nullptr) return cudaSuccess;
  captured_here->capture = Capture::invalidated;
  return result(cudaErrorStreamCaptureUnsupported);
}

bool issue_library_call(cudaStream_t stream, std::function<void()> work) {
  if (in_capture(stream) && device().refusal == Refusal::library) {
    stream->capture = Capture::invalidated;
    return false;
  }
  if (issue(stream, std::move(work)) != cudaSuccess) return false;
  ++device().launches;
  return true;
}

}  // namespace secondorder::emulation

using namespace secondorder::emulation;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return make(stream, device().streams);
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return make(stream, device().streams); }
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return destroy(stream, device().streams); }
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const cudaError_t refused = refuse_where_captured(stream);
  return refused == cudaSuccess ? waited() : refused;
}
cudaError_t cudaStreamQuery(cudaStream_t stream) { return refuse_where_captured(stream); }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return make(event, device().events);
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return make(event, device().events); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return destroy(event, device().events); }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->captured = in_capture(stream);
  return issue(stream, [] {});
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const cudaError_t refused = refuse_where_captured(event);
  return refused == cudaSuccess ? waited() : refused;
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return refuse_where_captured(event); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 0;
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  // What the other modes change is not emulated.
  const bool possible = stream != nullptr && mode == cudaStreamCaptureModeThreadLocal &&
                        !in_capture(stream) && captured_here == nullptr;
  if (!possible) return result(cudaErrorInvalidValue);
  stream->capture = Capture::active;
  stream->capturing_thread = std::this_thread::get_id();
  captured_here = stream;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (!in_capture(stream)) return result(cudaErrorInvalidValue);
  if (stream->capturing_thread != std::this_thread::get_id()) {
    return result(cudaErrorStreamCaptureWrongThread);
  }
  captured_here = nullptr;
  CUgraph_st captured = std::exchange(stream->captured, {});
  if (std::exchange(stream->capture, Capture::none) == Capture::invalidated) {
    return result(cudaErrorStreamCaptureInvalidated);
  }
  make(graph, device().graphs);
  **graph = std::move(captured);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = nullptr;
  if (device().refusal == Refusal::instantiation) return result(cudaErrorMemoryAllocation);
  make(executable, device().graphs);
  (*executable)->nodes = graph->nodes;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  ++device().graph_launches;
  return issue(stream, [executable] {
    for (const auto& node : executable->nodes) node();
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return destroy(graph, device().graphs); }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return destroy(executable, device().graphs);
}
