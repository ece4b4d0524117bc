// The bound over all networks at the end of training, and what it is good for beyond that: the
// gates that its search finds have prices above β, so that the program gains by them.
#pragma once

#include "base/function_ref.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// What `options` ask for with this many samples and features (the bias among them): `automatic`
/// has become `always`, with a budget of its own, or `never`.
GlobalBoundOptions resolved_global_bound(const Options& options, std::size_t rows,
                                         std::size_t features);

/// The solution over the gates that its model uses and those of `found` (rows of d + 1) with new
/// patterns, whose weights start at 0. The multipliers of cones and loss stay.
Solution with_gates(const Result& result, const std::vector<double>& found, const DataView& data,
                    HostAlgebra& host);

/// Fills report.global as options.global_bound asks for it; then, for up to `rounds` rounds and as
/// long as the gap is above the tolerance, solves again with the gates found and takes the better
/// of both bounds and the better network. A run that was stopped early gets no bound; one that is
/// stopped here keeps what it has, and says so in its status.
void bound_globally(const Request& request, const RunControl& control,
                    FunctionRef<Result(const Request&)> solve, Result& result);

}  // namespace secondorder::convex_relu
