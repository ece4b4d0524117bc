// Operations that are repeated: recorded as a graph where launches bound them.
#include "algebra/device_algebra.hpp"
#include "graph.hpp"

namespace secondorder::cuda {

namespace {

class RecordedGraph final : public RecordedOperations {
 public:
  /// What the next call does.
  enum class Next {
    measure,  ///< calls the operations, which take scratch and load kernels, and counts their work
    capture,
    launch,
    call,  ///< for good: work that launches don't bound, or that can't be captured
  };
  Next next = Next::measure;
  ExecutableGraph graph;
  QueuedWork work;                ///< of the graph
  const void* scratch = nullptr;  ///< that it was captured with
};

}  // namespace

template <class Real>
void CudaAlgebra<Real>::replay(Recording& recording, FunctionRef<void()> operations) {
  if (!settings_.graphs) return operations();
  if (recording == nullptr) recording = std::make_unique<RecordedGraph>();
  auto& recorded = static_cast<RecordedGraph&>(*recording);
  using Next = RecordedGraph::Next;
  const auto capture_graph = [&] {
    begin(QueuedWork{});
    const Pacer::Count count(pacer_, true);
    Capture capture(stream_.get());
    operations();
    recorded.graph = capture.finish();
    recorded.work = count.work();
    recorded.scratch = scratch_.address();
  };
  const auto launch_graph = [&] {
    begin(recorded.work);
    check(cudaGraphLaunch(recorded.graph.get(), stream_.get()), "cudaGraphLaunch");
  };
  if (recorded.next == Next::launch && recorded.scratch != scratch_.address()) {
    recorded.next = Next::capture;
  }
  switch (recorded.next) {
    case Next::measure: {
      const Pacer::Count count(pacer_, false);
      operations();
      recorded.next = count.work().bound_by_launches() ? Next::capture : Next::call;
      return;
    }
    case Next::capture:
      if (attempt(capture_graph) && attempt(launch_graph)) {
        recorded.next = Next::launch;
        return;
      }
      // Nothing was done by the capture: all of it is still to do.
      recorded.graph.reset();
      recorded.next = Next::call;
      return operations();
    case Next::launch:
      return launch_graph();
    case Next::call:
      return operations();
  }
}

template class CudaAlgebra<float>;
template class CudaAlgebra<double>;

}  // namespace secondorder::cuda
