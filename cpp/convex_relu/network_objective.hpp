// The objective that a network's weights are trained for, and its gradient:
//   F(W, A) = Σₖ ℓ(A·relu(W·xₖ), yₖ) + ½β(‖W‖² + ‖A‖²),
// with W (m × r) and A (m × c, a neuron's outputs) side by side in the rows [wⱼ, aⱼ].
#pragma once

#include <cstddef>

#include "algebra/algebra.hpp"

namespace secondorder::convex_relu {

/// The samples a network is trained on, in an algebra's memory.
template <class Real>
struct Samples {
  Loss loss = Loss::squared;
  double beta = 0;
  double smoothing = 0;  ///< of the hinge
  View<Real> x;          ///< n × r
  View<Real> y;          ///< n × c
  View<Real> weights;    ///< n × 1, or empty
};

/// Samples whose activations are held at once.
inline constexpr std::size_t activation_rows = 2048;

template <class Real>
class NetworkObjective {
 public:
  /// For at most `neurons` neurons. Lays out its memory in the arena, which may only count.
  NetworkObjective(Algebra<Real>& algebra, Arena& arena, const Samples<Real>& samples,
                   std::size_t neurons);

  /// F, and its gradient; rows [wⱼ, aⱼ].
  double operator()(ConstView<Real> weights, View<Real> gradient) const;
  /// The network's predictions, n × c, and ∇ℓ there. Returns F, whose hinge is not smoothed.
  double predict(ConstView<Real> weights, View<Real> predictions, View<Real> slopes) const;
  /// q (k × c) = relu(X·Uᵀ)ᵀ·ν and g (k × r), the gradients of qᵢ·aᵢ, for directions u and outputs
  /// a.
  void activation_products(ConstView<Real> u, ConstView<Real> a, ConstView<Real> nu, View<Real> q,
                           View<Real> g) const;

 private:
  template <class Body>
  void for_row_blocks(std::size_t neurons, Body body) const;

  Algebra<Real>& algebra_;
  const Samples<Real>& samples_;
  View<Real> activations_, outputs_, slopes_;
};

}  // namespace secondorder::convex_relu
