// Where a run begins: its gates, and ADMM's first state, from an earlier solution or a network.
#pragma once

#include "convex_relu/neurons.hpp"
#include "convex_relu/sharded_admm.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// A network's neurons in the s-space and z-space of this run.
struct ConvertedNeurons {
  std::vector<double> gates;    ///< neurons × (d + 1)
  std::vector<double> weights;  ///< neurons × f
};

/// hidden·z as a function of the standardized features, [s, 1]·gate, both in this run's spaces.
ConvertedNeurons convert_neurons(const NetworkModel& network, const Preprocessing& to);

/// The neurons of the request's warm start, in the coordinates of the program, whose β is `beta`.
Neurons starting_neurons(const Request& request, const Preprocessing& preprocessing,
                         const Rotation& rotation, double beta);

/// Throws ERR_DIMENSION_MISMATCH where the warm start is of another kind of problem.
void check_warm_start(const Request& request, const DataView& data,
                      const Preprocessing& preprocessing);

/// The solution's gates; or sampled ones, and after them those of a network's neurons.
Gates starting_gates(const Request& request, const DataView& data,
                     const Preprocessing& preprocessing, HostAlgebra& host);

/// Cold: V = 0 at `rho`. From a solution over the same rows: its whole state, multipliers scaled to
/// the new beta. From parameters alone: p = V·(1 + β/(ρ‖V‖)), q = E∘(XV).
template <class Real>
void start_admm(const Request& request, const Preprocessing& preprocessing,
                const Rotation& rotation, const Gates& gates, double rho, ShardedAdmm<Real>& admm);

}  // namespace secondorder::convex_relu
