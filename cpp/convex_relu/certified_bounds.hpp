// Lower bounds of what a two-layer ReLU network gives anywhere in a box |Δⱼ| ≤ rⱼ around samples,
// by the better of interval arithmetic and a linear relaxation of its neurons (Zhang et al., CROWN,
// arXiv 1811.00866). Exact where no neuron changes its sign within the box. In float64, sound up to
// its rounding.
#pragma once

#include <span>
#include <vector>

#include "convex_relu/model.hpp"

namespace secondorder::convex_relu {

class CertifiedBounds {
 public:
  /// `radius` has one entry for each feature of z; `model` is a ReLU network and must outlive this.
  CertifiedBounds(const NetworkModel& model, std::span<const double> radius);

  /// For each row of z (block × f): a lower bound of Σₒ combinationₖₒ·ŷₒ over its box, biases and
  /// scale of the outputs included. `combinations` is block × outputs.
  std::vector<double> lower(ConstView<double> z, ConstView<double> combinations, HostAlgebra& host);

 private:
  const NetworkModel& model_;
  std::vector<double> radius_;
  std::vector<double> spread_;  ///< rᵀ|wⱼ| of each neuron
};

/// An upper bound of the worst-case objective (1/Σw)·Σ w·max over Δ of ℓ + beta·penalty, of a ReLU
/// network with one output, in the units of y; hinge, logistic and squared loss.
double certified_objective(const NetworkModel& model, const DataView& data,
                           const std::vector<double>& y, const std::vector<double>& weights,
                           Loss loss, double beta, double epsilon, HostAlgebra& host);

}  // namespace secondorder::convex_relu
