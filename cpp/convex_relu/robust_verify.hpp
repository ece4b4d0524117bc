// verify() for adversarially trained networks.
#pragma once

#include "convex_relu/certificate.hpp"

namespace secondorder::convex_relu {

/// As verify(), of a certificate with an epsilon. The objective is an upper bound of the network's
/// worst case over the boxes (certified_bounds.hpp), the dual bound one of the robust program, the
/// infeasibility by how much neurons leave the robust cones of their gates.
Verdict verify_robust(const NetworkModel& model, const Certificate& certificate,
                      const DataView& data, const std::vector<double>& y, HostAlgebra& host);

}  // namespace secondorder::convex_relu
