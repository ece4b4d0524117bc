// Gate refinement: from any first neurons to a network that no neuron found by search would
// improve, in rounds of
//   descent    L-BFGS on the network's own objective (nonconvex, from where it stands),
//   merging    of neurons of one sign and pattern, without loss,
//   pricing    of patterns that the network does not have,
//   convex     solve over the patterns of both, each with its sign,
//   folding    to the width, and descent again;
// a round's network is kept only where it is better. What the convex program finds that descent
// does not is which neurons to have; what descent finds that the program does not is the patterns.
#pragma once

#include <optional>

#include "base/run_control.hpp"
#include "convex_relu/lbfgs.hpp"
#include "convex_relu/network_objective.hpp"
#include "convex_relu/options.hpp"
#include "convex_relu/pricing.hpp"
#include "convex_relu/signed_program.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// Smoothing of the hinge, in units of margin: descent needs slopes that tell how far to go. It
/// takes three stages, this being the last.
inline constexpr double hinge_smoothing = 0.0125;

template <class Real>
class Refinement {
 public:
  /// Networks start with this many times their width of random neurons.
  static constexpr std::size_t start_factor = 3;

  /// Plans for at most `available` bytes, and takes none yet; of the samples only the shapes are
  /// read. `starting` is the most neurons that run() will start from.
  Refinement(Algebra<Real>& algebra, Samples<Real> samples, const std::vector<double>& eigenvalues,
             const Options& options, std::size_t starting, std::size_t available);

  /// Bytes of the workspace.
  std::size_t bytes() const { return own_bytes_ + program_->bytes(); }
  /// Takes them from the algebra.
  void allocate();

  /// Descends from the neurons, then goes through the rounds. `on_round` is told of each. Where it
  /// is left by an exception, best() is the best network so far.
  void run(const Neurons& first, HostAlgebra& host, const RunControl& control,
           FunctionRef<void(const Round&)> on_round);

  /// The best network so far, at most `width` neurons by falling size; none where they do not pay.
  Neurons best(HostAlgebra& host);

 private:
  struct Step {
    Neurons neurons;
    double objective = 0;
  };

  void lay_out();
  Step descend(const Neurons& from, std::size_t iterations);
  Step improve(std::size_t round, double& pricing_ratio, HostAlgebra& host);
  Neurons merged(const Neurons& neurons);
  double evaluate(const Neurons& neurons);

  Algebra<Real>& algebra_;
  Samples<Real> samples_;
  RefineOptions options_;
  std::uint64_t seed_;
  std::size_t width_, descending_most_, own_bytes_ = 0;
  Arena arena_, program_arena_;
  std::optional<NetworkObjective<Real>> network_;
  std::optional<Lbfgs<Real>> lbfgs_;
  std::optional<Pricing<Real>> pricing_;
  std::optional<SignedProgram<Real>> program_;
  View<Real> predictions_, nu_;  ///< n × c, of the last evaluate()
  std::optional<Step> best_;
  std::size_t descending_ = 0;  ///< neurons in the descent under way, else 0
};

}  // namespace secondorder::convex_relu
