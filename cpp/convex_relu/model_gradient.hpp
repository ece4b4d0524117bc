// Outputs of a trained model and their derivatives along its inputs in s-space. Through the pieces
// that are active: ReLUs count as 0 where they are closed, gates stay as they are.
#pragma once

#include <vector>

#include "convex_relu/model.hpp"

namespace secondorder::convex_relu {

class ModelGradient {
 public:
  /// For up to `most_rows` rows at once; the model must outlive this.
  ModelGradient(const NetworkModel& model, std::size_t most_rows);

  /// Outputs (rows × c) at rows of s-space. The view is valid until the next call.
  ConstView<double> outputs(ConstView<double> s, HostAlgebra& host);
  /// Σₒ slopesₖₒ·∂ŷₒ/∂s (rows × d), at the rows of the last outputs().
  void along_inputs(ConstView<double> slopes, HostAlgebra& host, View<double> gradient);

  /// z (rows × f) and, of a ReLU model, its hidden values after the ReLU (rows × neurons), at the
  /// rows of the last outputs().
  ConstView<double> features() const { return {z_.data(), rows_, features_}; }
  ConstView<double> hidden() const { return {hidden_.data(), rows_, units_}; }

 private:
  bool gated() const { return model_.kind == Model::gated; }

  const NetworkModel& model_;
  std::size_t features_, units_, rows_ = 0;
  std::vector<double> z_, hidden_, outputs_, along_z_, back_;
  std::vector<std::uint64_t> words_;
  std::vector<double> weights_;  ///< gated: gates·outputs × f
};

}  // namespace secondorder::convex_relu
