// The samples of a model in the coordinates of their span, and the largest price of a neuron over
// them, from above, by whichever means there are.
#pragma once

#include <span>
#include <vector>

#include "base/enum_names.hpp"
#include "convex_relu/gate_maximum.hpp"
#include "convex_relu/model.hpp"

namespace secondorder::convex_relu {

enum class BoundMethod { branch_and_bound, relaxation };

/// The samples in the coordinates of an orthonormal basis Q of their span, and what that costs:
/// for every ‖u‖ ≤ 1 there is ‖u′‖ ≤ `growth` with |zₖᵀu − xₖᵀu′| ≤ lost[k].
struct SpannedSamples {
  std::vector<double> x;  ///< n × rank
  std::vector<double> lost, lengths;
  std::vector<double> basis;  ///< f × rank
  std::size_t rank = 0;
  double growth = 1;

  SpannedSamples(const Preprocessing& preprocessing, const DataView& data, HostAlgebra& host);

  std::size_t rows() const { return lengths.size(); }
  /// (xₖᵀu)₊ of all samples.
  std::vector<double> activations(const double* u) const;
  /// Qᵀv of a neuron over the features, as a unit vector; zero where it is 0 on the span.
  std::vector<double> direction(const double* v) const;
  /// Appends the gate (gates.hpp) of a neuron given in the basis' coordinates: [s, 1]·gate =
  /// zᵀ(Q·u).
  void append_gate(const Preprocessing& preprocessing, const double* u,
                   std::vector<double>& gates) const;
};

/// What the search for the largest price may cost.
struct PriceBudget {
  double tolerance = 1e-3;
  std::size_t nodes = 0, bytes = 0, relaxation_steps = 0;
  double seconds = 0;
};

struct LargestPrice {
  double above = 0;                ///< no neuron of norm 1 has a higher price
  double below = 0;                ///< the highest price found
  std::vector<double> directions;  ///< rows of `rank`: neurons of high price
  std::vector<double> prices;      ///< theirs
  BoundMethod method = BoundMethod::branch_and_bound;
  bool complete = true;  ///< to within the tolerance
  std::size_t nodes = 0, peak_bytes = 0;
};

/// The largest ‖Σₖ νₖ(zₖᵀu)₊‖ over ‖u‖ ≤ 1, ν being n × outputs. `joint`: of one neuron for all
/// outputs; otherwise √Σₒ of the squares of each output's own largest price. `enough`: no need to
/// know more than that it is no higher. Throws Cancelled as maximize_gate() does.
LargestPrice largest_price(const SpannedSamples& samples, std::span<const double> nu,
                           std::size_t outputs, bool joint, double enough,
                           const PriceBudget& budget, HostAlgebra& host, const RunControl* control);

}  // namespace secondorder::convex_relu

template <>
struct secondorder::EnumNames<secondorder::convex_relu::BoundMethod> {
  using BoundMethod = convex_relu::BoundMethod;
  static constexpr Named<BoundMethod> table[] = {
      {"branch-and-bound", BoundMethod::branch_and_bound}, {"relaxation", BoundMethod::relaxation}};
};
