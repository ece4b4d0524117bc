// Gate refinement as a part of a training run: which neurons it begins with, and the network and
// gates that the run goes on with.
#pragma once

#include <optional>
#include <vector>

#include "convex_relu/refine.hpp"
#include "convex_relu/sharded_admm.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// A refined network: neuron j has gate j, whose pattern is its own.
struct Refined {
  Neurons neurons;  ///< in the coordinates of the program, rounded as the network's are
  NetworkModel network;
  Gates gates;
  double objective = 0;  ///< as refinement evaluated it
  std::vector<Round> rounds;
  std::size_t bytes = 0;  ///< that refinement held on the device
};

/// What it is made from; all of it outlives the call.
template <class Real>
struct RefinementInput {
  const Request& request;
  const DataView& data;  ///< rows that take part
  const Targets& folded;
  const Preprocessing& preprocessing;
  const Rotation& rotation;
  HostAlgebra& host;
  Algebra<Real>& algebra;
  const RunControl& control;
  std::size_t memory;  ///< bytes there are on the device
};

/// Begins with the neurons of the request's warm start, or else with those of its gates, and stops
/// by Cancelled. `best` is then the best so far, where there is any; `unwatch` is called before the
/// algebras are used for that.
template <class Real>
void refine_network(const RefinementInput<Real>& input, FunctionRef<void()> unwatch,
                    std::optional<Refined>& best);

/// The refined network without a convex solve over its patterns: its certificate is ν = ∇ℓ, in the
/// units of Σ wℓ, with no multipliers. Rows of weight 0 are still left out.
Result unsolved(const Request& request, const DataView& data, const Targets& targets,
                const Refined& refined, HostAlgebra& host);

/// Starts ADMM on the program over the refined gates at the refined network; with the ρ that is
/// given, if one is.
template <class Real>
void start_at(const Refined& refined, std::optional<double> given, ShardedAdmm<Real>& admm);

/// The better of the program's solution, in `model` with its `verdict`, and the refined network,
/// where the solution keeps to the width that was asked for. Whether the program is solved to the
/// tolerance; then `status` is converged, refined or width_limit.
bool choose_network(const Refined& refined, const Verdict& of_refined, double tolerance,
                    const RefineOptions& limits, NetworkModel& model, Verdict& verdict,
                    Status& status);

/// The greatest price found at the network `model`, over β: at ν = ∇ℓ, or for the hinge, where that
/// is not unique, at the certificate's ν.
template <class Real>
double measure_price(const NetworkModel& model, const Certificate& certificate,
                     const Rotation& rotation, const Program<Real>& program, std::uint64_t seed,
                     Algebra<Real>& algebra);

/// Bytes that refinement takes on the device, at most.
template <class Real>
std::size_t refinement_bytes(Algebra<Real>& algebra, const GatedShape& shape, bool weighted,
                             const Options& options, std::size_t available);

}  // namespace secondorder::convex_relu
