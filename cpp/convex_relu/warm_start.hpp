// Where a run begins: its gates, and ADMM's first state, from an earlier solution or a network.
#pragma once

#include "convex_relu/admm.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// The solution's gates; or sampled ones, and after them those of a network's neurons.
Gates starting_gates(const Request& request, const DataView& data,
                     const Preprocessing& preprocessing, HostAlgebra& host);

/// Cold: V = 0 at `rho`. From a solution over the same rows: its whole state, multipliers scaled to
/// the new beta. From parameters alone: p = V·(1 + β/(ρ‖V‖)), q = E∘(XV).
template <class Real>
void start_admm(const Request& request, const Preprocessing& preprocessing,
                const Rotation& rotation, const Gates& gates, const Program<Real>& program,
                double rho, Admm<Real>& admm);

}  // namespace secondorder::convex_relu
