// Training by the sampled convex program (scp.hpp): hidden vectors are drawn uniformly from the
// unit sphere of the solver's features, or given, and their output weights found to a certified
// gap.
#pragma once

#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// train() for Method::scp: a ReLU model on the CPU, with one penalty for all outputs of a hidden
/// vector; throws ERR_INVALID_ARGUMENT for others. A warm start gives its directions: a solution
/// all it had, a network its neurons, which come before the drawn ones.
template <class Real>
Result train_sampled(const Request& request, const RunControl& control);

}  // namespace secondorder::convex_relu
