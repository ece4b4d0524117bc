// Which linear system the u-update solves, and what a run needs in memory.
#pragma once

#include <cstddef>

#include "algebra/algebra.hpp"
#include "convex_relu/options.hpp"

namespace secondorder::convex_relu {

struct Plan {
  Route route = Route::woodbury;
  std::size_t device_bytes = 0;  ///< the workspace of the solver
  std::size_t host_bytes = 0;    ///< float64 features, patterns and results around it
  std::size_t bytes() const { return device_bytes + host_bytes; }
};

/// The cheapest route by a count of operations, among those that fit in `available` bytes; the one
/// asked for where it isn't automatic. `raw_features` is d.
template <class Real>
Plan make_plan(Algebra<Real>& algebra, const GatedShape& shape, std::size_t raw_features,
               bool weighted, const Options& options, std::size_t available);

const char* name(Route route);

}  // namespace secondorder::convex_relu
