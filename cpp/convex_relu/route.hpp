// Which linear system the u-update solves, and what a run needs in memory.
#pragma once

#include <cstddef>

#include "algebra/algebra.hpp"
#include "convex_relu/option_names.hpp"

namespace secondorder::convex_relu {

struct Plan {
  Route route = Route::woodbury;
  std::size_t workspace_bytes = 0;  ///< the arena of program and solver
  std::size_t device_bytes = 0;     ///< the workspace, and the scratch of its operations
  std::size_t host_bytes = 0;       ///< float64 features, patterns and results around them
  std::size_t bytes() const { return device_bytes + host_bytes; }
};

/// The cheapest route by a count of operations, among those that fit in `available` bytes; the one
/// asked for where it isn't automatic. `raw_features` is d.
template <class Real>
Plan make_plan(Algebra<Real>& algebra, const GatedShape& shape, std::size_t raw_features,
               bool weighted, const Options& options, std::size_t available);

/// The program over `rows` samples: two sets of parameters where there are cones.
GatedShape shape_of(std::size_t rows, std::size_t features, std::size_t gates, std::size_t outputs,
                    Model model);

struct MemoryEstimate {
  std::size_t bytes = 0;
  const char* route = "";
};

/// What a run on `threads` threads (0: all) would hold at most, for rows × cols samples given as
/// dense doubles and these included.
template <class Real>
MemoryEstimate estimate_memory(std::size_t rows, std::size_t cols, std::size_t outputs,
                               const Options& options, int threads);

}  // namespace secondorder::convex_relu
