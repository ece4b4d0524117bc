// A lower bound of the sampled program from any dual vector.
#pragma once

#include <cstddef>
#include <span>

#include "algebra/loss.hpp"

namespace secondorder::convex_relu {

/// max over τ of −Σₖ wₖ·ℓ*(τνₖ/wₖ), with τ ≤ beta/largest so that τν is feasible, `largest` being
/// the greatest dual norm over the penalty groups at ν. ν must lie in the domain of ℓ*; `weights`
/// may be empty. The maximum is exact for the squared loss; for the others τ = min(1,
/// beta/largest). That τ is put into `scale`, where one is given.
double scaled_dual(Loss loss, std::span<const double> nu, std::span<const double> y,
                   std::span<const double> weights, std::size_t outputs, double beta,
                   double largest, double* scale = nullptr);

}  // namespace secondorder::convex_relu
