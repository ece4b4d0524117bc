// A lower bound of the robust program from any dual point. For hinge and logistic loss the dual of
// sample k is ν = −y·a with a ≥ 0 and a shift ξ with |ξⱼ| ≤ a·rⱼ: the loss at the moved sample
// x + ξ/ν. In general φ(q) = max over |ν| ≤ c, |ξⱼ| ≤ c·rⱼ of (νx + ξ)ᵀq − (conjugate), and
//
//   F* ≥ −Σₖ wₖ·φ*(τνₖ, τξₖ),  τ ≤ β / maxᵢ ‖soft(±Σₖ Dₖᵢ(νₖxₖ + ξₖ) − Xᵀ(Eᵢμᵢ), r·Σμᵢ)‖₂
//
// for any μ ≥ 0; each gate may also take μᵢ = 0.
#pragma once

#include <vector>

#include "convex_relu/adversarial_program.hpp"
#include "convex_relu/certificate.hpp"

namespace secondorder::convex_relu {

struct RobustDual {
  std::vector<double> nu;               ///< n
  std::vector<double> shifts;           ///< ξ, n × f in the program's units
  std::vector<bool> needs_multipliers;  ///< 2P: rows whose μ the bound needs
};

/// Moves (ν, ξ) into the domain of φ*, where the bound is finite, and gives N = νx + ξ (n × f).
std::vector<double> project_robust_dual(const RobustData& data, RobustDual& dual);

/// −Σ wφ*(τν, τξ) for the best τ ≤ beta/largest.
double scaled_robust_dual(const RobustData& data, const RobustDual& dual, double largest);

/// ‖soft(sign·c − g, r·sum)‖₂ of one row; g may be null for 0.
double robust_dual_norm(const double* c, double sign, const double* g, double multiplier_sum,
                        const std::vector<double>& radius);

}  // namespace secondorder::convex_relu
