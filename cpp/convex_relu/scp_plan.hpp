// What a sampled convex program (scp_train.hpp) takes, and what it refuses.
#pragma once

#include <cstddef>

#include "convex_relu/options.hpp"
#include "convex_relu/route.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// Report::route of such a run.
inline constexpr const char* sampled_route = "coordinate-descent";

/// Throws ERR_INVALID_ARGUMENT for what the program doesn't have, naming the option.
void check_sampled(const Request& request);

/// Bytes of a run over so many directions, phase by phase, the samples not counted.
template <class Real>
std::size_t sampled_bytes(std::size_t rows, std::size_t features, std::size_t outputs,
                          std::size_t directions, const Options& options);

/// What such a run would hold at most, the samples as dense doubles included.
template <class Real>
MemoryEstimate estimate_sampled_memory(std::size_t rows, std::size_t cols, std::size_t outputs,
                                       const Options& options);

}  // namespace secondorder::convex_relu
