// Gates for the robust program. Only a pattern of some vector v that keeps the distance rᵀ|v| from
// every sample has a robust cone with more than 0 in it, so that gates are drawn with that
// distance.
#pragma once

#include "convex_relu/gates.hpp"

namespace secondorder::convex_relu {

/// The gate that is open everywhere first, whose robust cone holds every linear function when there
/// is a bias. After it, at most `options.gates` − 1 gates of distinct patterns: random directions a
/// with a threshold in a gap of the samples' s·a of at least 2ε‖a‖₁. There may be fewer. Given
/// gates are kept as they are.
Gates draw_robust_gates(const DataView& data, const Preprocessing& preprocessing,
                        const Options& options, HostAlgebra& host);

}  // namespace secondorder::convex_relu
