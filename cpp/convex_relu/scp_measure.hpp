// What the hidden vectors of a solved sampled program assure, and what they lack.
#pragma once

#include "convex_relu/program.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// What so many assure beforehand: n·c + 1 decisions, `count` directions of which `drawn` are
/// drawn.
SamplingReport assured_sampling(std::size_t decisions, std::size_t count, std::size_t drawn);

/// Draws further directions and counts those that violate the constraints of the certificate's τν.
void test_directions(const Certificate& certificate, const std::vector<double>& directions,
                     const Targets& targets, const DataView& data,
                     const Preprocessing& preprocessing, HostAlgebra& host,
                     SamplingReport& sampling);

/// The greatest price found by the search of pricing.hpp, over β.
double greatest_price(const NetworkModel& model, const Certificate& certificate,
                      const Targets& targets, const DataView& data, std::uint64_t seed,
                      HostAlgebra& host);

}  // namespace secondorder::convex_relu
