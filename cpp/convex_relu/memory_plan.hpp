// What a run holds in host memory beside the workspace of its solver, phase by phase.
#pragma once

#include <cstddef>

#include "algebra/algebra.hpp"
#include "convex_relu/data.hpp"
#include "convex_relu/options.hpp"

namespace secondorder::convex_relu {

struct RunSize {
  GatedShape shape;              ///< of the program
  std::size_t raw_features = 0;  ///< d
  Route route = Route::woodbury;
  std::size_t device_bytes = 0;     ///< workspace and scratch
  std::size_t neurons = 0;          ///< of the network, or gates of the gated model, in use
  std::size_t multiplier_rows = 0;  ///< rows of μ in the certificate

  /// Beforehand: every neuron may be in use and every cone's multiplier be needed.
  static RunSize most(const GatedShape& shape, std::size_t raw_features, Route route,
                      std::size_t device_bytes) {
    const bool cones = shape.sets == 2;
    return {shape,
            raw_features,
            route,
            device_bytes,
            cones ? shape.parameter_rows() : shape.gates,
            cones ? shape.parameter_rows() : 0};
  }
};

/// Bytes that come on top of `device_bytes` when the run holds most: while it is prepared (then
/// there is no workspace yet), started, verified or handed over. Input data is not counted.
template <class Real>
std::size_t host_bytes(const Algebra<Real>& algebra, const RunSize& size, const Options& options);

/// Scratch of the operations that prepare a route, before the first iteration, for the shape of a
/// shard of `all_gates`; part of host_bytes() where the algebra is the host's.
template <class Real>
std::size_t starting_scratch_bytes(const Algebra<Real>& algebra, const GatedShape& shape,
                                   std::size_t all_gates, Route route);

/// Bytes of the samples as they were given.
std::size_t data_bytes(const DataView& data);

}  // namespace secondorder::convex_relu
