// Pricing of neurons that the network does not have. With ν = ∇ℓ at its predictions, a new neuron
// b·relu(uᵀx) of size ε changes F by ε·(bᵀq(u) + β), q(u) = relu(Xu)ᵀν: it lowers F exactly where
// its price ‖q(u)‖, with b = −q/‖q‖, is above β. No neuron of any direction does where
//   max { ‖q(u)‖ : ‖u‖ ≤ 1 } ≤ β;
// an ascent from many starts finds local maxima of that: prices found are true, and the greatest
// of them bounds the maximum from below.
#pragma once

#include <cstdint>
#include <vector>

#include "convex_relu/gates.hpp"
#include "convex_relu/network_objective.hpp"
#include "convex_relu/neurons.hpp"

namespace secondorder::convex_relu {

struct Prices {
  Neurons neurons;  ///< units of price above the threshold and of distinct patterns, dearest first
  std::vector<double> values;  ///< their prices over β
  double ratio = 0;            ///< the greatest price found, over β
};

template <class Real>
class Pricing {
 public:
  /// Starts other than the network's own neurons: half of them Gaussian, a quarter samples, a
  /// quarter differences of two samples.
  static constexpr std::size_t fresh_starts = 128;
  static constexpr std::size_t ascent_steps = 30;

  static std::size_t most_candidates(std::size_t width) { return 2 * (width + fresh_starts); }

  /// For networks of at most `width` neurons. Lays out its memory in the arena, which may only
  /// count.
  Pricing(Algebra<Real>& algebra, Arena& arena, const Samples<Real>& samples,
          const NetworkObjective<Real>& network, std::size_t width, std::uint64_t seed);

  /// At most `limit` neurons of price above `threshold`·β, at the dual vector ν (n × c), with
  /// patterns that differ from each other's and those of `known` of the same signs. `draw` numbers
  /// the calls.
  Prices operator()(const Neurons& known, ConstView<Real> nu, double threshold, std::size_t limit,
                    std::uint64_t draw);

  /// A number for each neuron's activation pattern over the samples together with the signs of its
  /// outputs, 0 where it is never active.
  std::vector<std::uint64_t> signed_patterns(const Neurons& neurons);

 private:
  struct Candidates {
    std::vector<double> u, q, price;
  };

  std::vector<double> starts(const Neurons& known, std::uint64_t draw);
  Candidates ascend(const std::vector<double>& starts, ConstView<Real> nu);
  void note_best(std::size_t count, Candidates& best);

  Algebra<Real>& algebra_;
  const Samples<Real>& samples_;
  const NetworkObjective<Real>& network_;
  std::uint64_t seed_;
  View<Real> u_, g_, q_, a_;
  GateBits bits_;
};

}  // namespace secondorder::convex_relu
