// The price of a neuron u at a dual vector, pₒ(u) = Σₖ νₖₒ·(xₖᵀu)₊ for the outputs o, over samples
// of length 1: what the bounds on its maximum over the unit ball are computed from
// (global_bound.hpp).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "algebra/view.hpp"

namespace secondorder::convex_relu {

struct UnitSamples {
  std::size_t rank = 0, outputs = 1;
  std::vector<double> x;        ///< rows × rank, each row of length 1
  std::vector<double> weights;  ///< rows × outputs: νₖₒ·‖xₖ‖/scale
  double scale = 0;  ///< Σₖ ‖νₖ‖·‖xₖ‖, no less than any ‖p(u)‖, ‖u‖ ≤ 1

  std::size_t rows() const { return weights.size() / outputs; }
  const double* row(std::size_t k) const { return x.data() + k * rank; }
  const double* weights_of(std::size_t k) const { return weights.data() + k * outputs; }

  /// √Σ pₒ(u)² over the outputs, without the scale; with one output, sign·p(u).
  double price(std::span<const double> u, double sign) const;
  /// The gradient of price() at u, or one of its subgradients.
  void gradient(std::span<const double> u, double sign, std::span<double> out) const;
};

/// `nu` is n × outputs. Samples of length 0 or without weight are left out, equal directions
/// merged. Good for any scale of x and ν that float64 holds; an infinite scale says that it
/// doesn't.
UnitSamples unit_samples(ConstView<double> x, std::span<const double> nu, std::size_t outputs);

}  // namespace secondorder::convex_relu
