// What the certificate of a sampled convex program proves.
#pragma once

#include "convex_relu/certificate.hpp"

namespace secondorder::convex_relu {

/// verify() for such a certificate, its ν in the domain of ℓ* and the model in the units of
/// training. The bound is −ℓ*(τν) with ‖aⱼᵀτν‖ ≤ β for all directions of the program, which are
/// drawn again. The infeasibility is how far the neurons' unit weights are from the directions they
/// are said to have, as a share weighted by the neurons' sizes.
Verdict verify_sampled(const NetworkModel& model, const Certificate& certificate,
                       const DataView& data, const DualPoint& point, HostAlgebra& host);

}  // namespace secondorder::convex_relu
