// An upper bound of the largest price of a neuron (unit_samples.hpp) in any number of dimensions:
// the Shor relaxation in its dual form, a trust-region problem whose multipliers are improved by
// descent.
//
// For ‖u‖ ≤ 1 and unit samples t = xₖᵀu has |t| ≤ 1, and for any multipliers l > 0 and w₁ + w₂ ≤ 1,
// w ≥ 0
//   t₊ ≤ t/2 + l·t²/4 + 1/(4l)                      (|t| ≤ l·t²/2 + 1/(2l))
//   t₊ ≥ w₁·t + w₂·(t/2 + t²/2)                     (|t| ≥ t²)
// so that Σ ωₖ(xₖᵀu)₊ ≤ uᵀQu + bᵀu + const, with the first for ωₖ > 0, the second for ωₖ < 0. Then,
// for any μ ≥ 0 with A = μI − Q ⪰ 0 and any y,
//   uᵀQu + bᵀu ≤ μ + bᵀu − uᵀAu = μ + yᵀAy − (u − y)ᵀA(u − y) + (b − 2Ay)ᵀu ≤ μ + yᵀAy + ‖b − 2Ay‖.
#pragma once

#include <span>
#include <vector>

#include "base/run_control.hpp"
#include "convex_relu/preprocessing.hpp"
#include "convex_relu/unit_samples.hpp"

namespace secondorder::convex_relu {

/// An upper bound of ‖p(u)‖ over the unit ball (with one output: of |p(u)|) after `steps` steps of
/// L-BFGS on the multipliers of each output and sign. In the units of the prices. Rigorous, and
/// weak. Throws Cancelled where the host's control asks for it; the time limit of `control` ends
/// the descent early. The result for given (unit) samples includes what float64 rounding can do: A
/// ⪰ 0 is established by a Cholesky factorization of A less 8(n + r
/// + 8)ε·(Σ|coefficients of Q| + rμ), more than its backward error.
double relaxed_price(const UnitSamples& samples, std::size_t steps, HostAlgebra& host,
                     const RunControl* control = nullptr);

/// The multipliers of one sample each: l where its weight is positive, w₁ and w₂ where negative.
struct PriceMultipliers {
  std::vector<double> curvature;       ///< l
  std::vector<double> line, parabola;  ///< w₁, w₂
};

/// The bound of Σ ωₖ(xₖᵀu)₊ that these multipliers give, without the scale; valid for any that are
/// in their range. At most 1 + rounding.
double price_bound(const UnitSamples& samples, std::span<const double> weights,
                   const PriceMultipliers& multipliers, HostAlgebra& host);

}  // namespace secondorder::convex_relu
