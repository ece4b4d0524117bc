// The robust convex program (arXiv 2201.01965, section 5): training samples may be moved by any
// |Δⱼ| ≤ rⱼ, rⱼ = ε in the solver's features, 0 for the bias.
//
//   min Σₖ wₖ·φₖ(qₖ) + β Σ(‖vᵢ‖₂ + ‖wᵢ‖₂),   φₖ(q) = max over Δ of ℓ((xₖ + Δ)ᵀq, yₖ)
//   s.t. Q = Dᵀ(V − W),  Eᵢ·X·vᵢ ≥ rᵀ|vᵢ|,  Eᵢ·X·wᵢ ≥ rᵀ|wᵢ|
//
// The cones keep every neuron in its pattern wherever a sample is moved, so that the program's
// worst case is the network's. X is in the coordinates of the features, not rotated: boxes aren't
// round. It is scaled to columns of mean norm 1, and r with it.
#pragma once

#include <vector>

#include "algebra/robust_operations.hpp"
#include "convex_relu/gates.hpp"
#include "convex_relu/program.hpp"

namespace secondorder::convex_relu {

/// The program in float64 on the host.
struct RobustData {
  std::size_t rows = 0, features = 0;
  std::vector<double> x;       ///< n × f, z/scale
  std::vector<double> radius;  ///< f, ε/scale
  double scale = 1;            ///< parameters of z are u/scale
  double beta = 0;             ///< in the program's units
  Loss loss = Loss::squared;
  Targets targets;

  ConstView<double> features_view() const { return {x.data(), rows, features}; }
};

/// Radius of each feature of z: ε for those that vary with x, 0 for the bias and for columns that
/// preprocessing makes constant.
std::vector<double> feature_radius(const Preprocessing& preprocessing, double epsilon);

RobustData make_robust_data(const DataView& data, const Preprocessing& preprocessing,
                            const Targets& targets, const Options& options, HostAlgebra& host);

/// The same in an algebra's memory.
template <class Real>
struct RobustProgram {
  std::size_t rows, features, gates;
  Loss loss = Loss::squared;
  double beta = 0;
  View<Real> x;        ///< n × f
  View<Real> d;        ///< P × n, 0 or 1
  View<Real> y;        ///< n × 1
  View<Real> weights;  ///< n × 1, empty where all are 1
  View<Real> radius;   ///< 1 × f

  RobustProgram(std::size_t row_count, std::size_t feature_count, std::size_t gate_count,
                bool weighted, Arena& arena)
      : rows(row_count),
        features(feature_count),
        gates(gate_count),
        x(arena.matrix<Real>(rows, features)),
        d(arena.matrix<Real>(gates, rows)),
        y(arena.matrix<Real>(rows, 1)),
        radius(arena.matrix<Real>(1, features)) {
    if (weighted) weights = arena.matrix<Real>(rows, 1);
  }

  void load(const RobustData& data, GateBits patterns, Algebra<Real>& algebra);
};

}  // namespace secondorder::convex_relu
