// Which linear system the u-update solves, and what a run needs in memory.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "algebra/algebra.hpp"
#include "convex_relu/memory_plan.hpp"
#include "convex_relu/option_names.hpp"
#include "device/cost.hpp"

namespace secondorder::convex_relu {

/// Bytes that a run may take: on the CPU of the host alone, on GPUs of both.
struct Room {
  std::size_t host = 0;
  std::optional<std::size_t> gpu = std::nullopt;  ///< of each
  std::size_t gpus = 1;                           ///< that share the gates (gate_shards.hpp)
  /// Where the iterations take place.
  std::size_t device() const { return gpu.value_or(host); }
};

struct Plan {
  Route route = Route::woodbury;
  std::size_t workspace_bytes = 0;  ///< the arena of program and solver; of the largest shard
  std::size_t device_bytes = 0;     ///< the workspace, and the scratch of its operations
  std::size_t host_bytes = 0;       ///< float64 features, patterns and results around them
  std::size_t bytes() const { return device_bytes + host_bytes; }
};

/// The cheapest route by a count of operations, among those that fit in the room there is; the one
/// asked for where it isn't automatic. `raw_features` is d. Throws ERR_OUT_OF_MEMORY where none
/// fits, and ERR_INVALID_ARGUMENT where Route::gram was asked for on several GPUs.
template <class Real>
Plan make_plan(Algebra<Real>& algebra, const GatedShape& shape, std::size_t raw_features,
               bool weighted, const Options& options, const Room& room);

/// host_bytes() of memory_plan.hpp for a run whose workspace is on a GPU or not.
template <class Real>
std::size_t host_bytes(const Algebra<Real>& algebra, RunSize size, const Options& options,
                       bool on_gpu);

/// What a run by the cheapest route does, with numbers of `bytes_of_real` bytes.
Work work_of(const GatedShape& shape, const Options& options, std::size_t bytes_of_real);

/// The same of a run, which takes no gates but those of its refined network where it refines: then
/// the plan counts the larger of refinement's workspace and the solver's.
template <class Real>
Plan plan_run(Algebra<Real>& algebra, const GatedShape& shape, std::size_t raw_features,
              bool weighted, const Options& options, const Room& room);

/// Operations that a number of iterations by a route costs, its set-up included, in units of one
/// multiplication and addition of a large dense product.
double route_cost(Route route, const GatedShape& shape, Loss loss, double iterations);

/// The program over `rows` samples: two sets of parameters where there are cones.
GatedShape shape_of(std::size_t rows, std::size_t features, std::size_t gates, std::size_t outputs,
                    Model model);

/// The same before anything is known of the samples but their number.
GatedShape largest_shape(std::size_t rows, std::size_t cols, std::size_t outputs,
                         const Options& options);

struct MemoryEstimate {
  std::size_t bytes = 0;      ///< of the host
  std::size_t gpu_bytes = 0;  ///< of the GPU that holds most; 0 on the CPU
  const char* route = "";
  std::string device;
};

/// What a run on `threads` threads (0: all) would hold at most, for rows × cols samples given as
/// dense doubles and these included. Throws as place() does.
template <class Real>
MemoryEstimate estimate_memory(std::size_t rows, std::size_t cols, std::size_t outputs,
                               const Options& options, int threads);

}  // namespace secondorder::convex_relu
