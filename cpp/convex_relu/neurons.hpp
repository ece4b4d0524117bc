// The neurons of a two-layer network, f(x) = Σⱼ bⱼ·relu(uⱼᵀx): the whole size of a neuron is in its
// direction uⱼ, its output bⱼ has norm 1 (±1 for one output), and the penalty is Σ‖uⱼ‖. With
// wⱼ = uⱼ/√‖uⱼ‖ and aⱼ = √‖uⱼ‖·bⱼ that is ½(‖W‖² + ‖A‖²), the weight decay of a balanced network,
// which is the least weight decay that this function can have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "algebra/cpu/cpu_algebra.hpp"

namespace secondorder::convex_relu {

struct Neurons {
  std::size_t features = 0, outputs = 1;
  std::vector<double> u;  ///< count × features
  std::vector<double> b;  ///< count × outputs, rows of norm 1

  std::size_t count() const { return b.size() / outputs; }
  std::span<const double> direction(std::size_t j) const {
    return {u.data() + j * features, features};
  }
  std::span<const double> output(std::size_t j) const { return {b.data() + j * outputs, outputs}; }
  void append(std::span<const double> direction, std::span<const double> output);
  void append(const Neurons& more);
  /// Those named, in that order.
  Neurons select(std::span<const std::size_t> which) const;
  std::vector<double> sizes() const;  ///< ‖uⱼ‖
};

/// Rows [w, a] of any scale to neurons; those without effect (a zero w or a) are left out.
Neurons neurons_of(std::span<const double> weights, std::size_t features, std::size_t outputs);
/// Rows [w, a] of a balanced network, ‖w‖ = ‖a‖.
std::vector<double> balanced_weights(const Neurons& neurons);

/// By falling size, without those below 1e-6 of the largest.
Neurons by_size(const Neurons& neurons);

/// Joins neurons whose `patterns` (a number for each activation pattern over the data, 0 where it
/// is never active) and outputs are the same into their sum: on its pattern a neuron is linear, so
/// that predictions stay, and the penalty cannot rise. Drops those that are never active.
Neurons merge_equal(const Neurons& neurons, std::span<const std::uint64_t> patterns);

/// At most `width` neurons: each smaller one is added to the best aligned larger one, by the cosine
/// of directions times that of outputs, and left out where no cosine is positive. Changes
/// predictions; takes sorted neurons.
Neurons fold(const Neurons& neurons, std::size_t width, CpuAlgebra<double>& host);

}  // namespace secondorder::convex_relu
