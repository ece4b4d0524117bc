// Adversarial training: the robust convex program over drawn gates, solved by ADMM to a certified
// gap from the robust linear solution, then a descent on the network's own adversarial loss.
#pragma once

#include "convex_relu/route.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// train() for a request with an epsilon: a ReLU model of one output, hinge, logistic or squared
/// loss, without components or a warm start; throws ERR_INVALID_ARGUMENT for others.
template <class Real>
Result train_adversarially(const Request& request, const RunControl& control);

/// What such a run would hold at most, the samples as dense doubles included.
template <class Real>
MemoryEstimate estimate_adversarial_memory(std::size_t rows, std::size_t cols,
                                           const Options& options, int threads);

}  // namespace secondorder::convex_relu
