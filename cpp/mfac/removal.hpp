// Optimal Brain Surgeon steps: weights go, and those that stay make up for them.
//
// With δ = w' − w, one weight q alone asks for δ = −(w_q/[H⁻¹]_qq)·H⁻¹e_q and raises the loss by
// w_q²/(2[H⁻¹]_qq). For a set Q the joint update minimises ½δᵀHδ subject to δ_Q = −w_Q exactly; the
// independent one, as the authors have it, adds up those of single weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/run_control.hpp"
#include "mfac/fisher_blocks.hpp"

namespace secondorder::mfac {

struct Removal {
  std::vector<float> weights;  ///< w', exactly 0 where removed
  double loss_increase = 0;    ///< joint: ½δᵀHδ; independent: Σ w_q²/(2[H⁻¹]_qq)
};

/// Throws ERR_DIMENSION_MISMATCH for other than `dimension` weights, ERR_INVALID_ARGUMENT for
/// weights that are not finite and for indices that are out of range or come twice, ERR_NOT_FITTED
/// before factor(), ERR_NUMERICAL for results beyond float32.
Removal remove_weights(FisherBlocks& blocks, std::span<const float> weights,
                       std::span<const std::uint32_t> remove, bool joint,
                       const RunControl& control);

}  // namespace secondorder::mfac
