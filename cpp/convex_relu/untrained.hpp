// What a run gives that was stopped before its first iteration.
#pragma once

#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// The network that is zero everywhere, with the certificate ν = 0: no network's loss is below the
/// least value of the loss. Costs nothing. `preprocessing` and `gates` may be empty, where they
/// were not found in time: then nothing is standardized, and the one gate is open everywhere. The
/// solution is the one the run was to start from, or one that starts cold.
Result untrained(const Request& request, Preprocessing preprocessing, Gates gates);

}  // namespace secondorder::convex_relu
