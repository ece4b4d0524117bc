// A trained model as arrays: preprocessing, weights in z-space, and what its predictions need.
#pragma once

#include <cstdint>
#include <vector>

#include "convex_relu/gates.hpp"
#include "convex_relu/options.hpp"
#include "convex_relu/preprocessing.hpp"

namespace secondorder::convex_relu {

struct NetworkModel {
  Model kind = Model::relu;
  Penalty grouping = Penalty::gate;  ///< gated: what shares a norm
  std::size_t outputs = 1;
  Preprocessing preprocessing;
  std::vector<double> hidden;        ///< ReLU: neurons × f
  std::vector<double> output;        ///< ReLU: outputs × neurons
  std::vector<std::int32_t> groups;  ///< ReLU: penalty group of each neuron; empty: each its own
  Gates gates;                       ///< gated: P × (d + 1)
  std::vector<double> weights;       ///< gated: outputs × P × f
  std::vector<double> output_bias;   ///< outputs
  double output_scale = 1;           ///< ŷ = output_scale·(…) + output_bias

  std::size_t neurons() const { return outputs == 0 ? 0 : output.size() / outputs; }
};

/// ŷ (n × c).
std::vector<double> predict(const NetworkModel& model, const DataView& data, HostAlgebra& host);

/// Σ‖·‖ over the penalty groups: for a ReLU network √(Σ(‖hidden‖·‖output‖)²) by group of neurons,
/// for a gated one ‖Uᵢ‖ by gate (or by gate and output).
double penalty(const NetworkModel& model);

/// F = (1/Σw)·Σ wℓ(ŷ, y) + beta·penalty, in the units of y (predictions are unscaled).
double objective(const NetworkModel& model, const DataView& data, const std::vector<double>& y,
                 const std::vector<double>& weights, Loss loss, double beta, HostAlgebra& host);

}  // namespace secondorder::convex_relu
