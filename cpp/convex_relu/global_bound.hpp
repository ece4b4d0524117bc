// A lower bound on the nonconvex problem itself: on the objective of every two-layer ReLU network,
// of any width, with any gates, on the data at hand.
//
// By weak duality any ν gives F ≥ −(1/Σw)·Σ wₖℓ*(τνₖ/wₖ) for all networks once τ·H ≤ β·Σw, where H
// is at least the largest price max_{‖u‖≤1} ‖Σₖ νₖ(zₖᵀu)₊‖ of a neuron: what the certificate's
// bound over given gates takes from finitely many norms, this one takes from an upper bound of a
// nonconvex maximum (gate_maximum.hpp in few dimensions, price_relaxation.hpp in more).
//
// The bound holds for F = loss + ½β(‖W‖² + ‖a‖²), a network's own weight decay, and for the penalty
// that was trained with, over all gates. With several outputs and one norm around all of a gate's
// neurons (Penalty::gate) that takes H = √Σₒ Hₒ² of the outputs' own largest prices: the outputs'
// neurons of one gate may differ.
#pragma once

#include <vector>

#include "convex_relu/certificate.hpp"
#include "convex_relu/largest_price.hpp"

namespace secondorder::convex_relu {

struct GlobalBound {
  double bound = 0;  ///< as Verdict::dual_bound, in the units of Verdict::objective
  double gap = 0;    ///< (objective − bound)/objective
  BoundMethod method = BoundMethod::branch_and_bound;
  bool complete = false;      ///< the largest price is known to within the tolerance
  double price_above = 0;     ///< upper bound of the largest price, in units of β
  double price_below = 0;     ///< the highest price found, in units of β; the pricing ratio
  std::vector<double> gates;  ///< rows of d + 1 in s-space (gates.hpp): neurons that a network with
                              ///< a lower objective uses, or whose price exceeds β
  std::size_t nodes = 0, peak_bytes = 0;
};

/// From the certificate's ν and, for options.cuts > 0, others. `objective` is Verdict::objective of
/// the model, a ReLU network. Throws Cancelled where the host's control asks for it; `control`'s
/// time limit ends the search early, with what has been proved by then. Float64 rounding is allowed
/// for: see maximize_gate() for prices; products with the rotation's basis, its deviation from
/// orthonormality, what its rank leaves out, and the sums of ℓ* are bounded and added where they
/// are computed.
GlobalBound global_bound(const NetworkModel& model, const Certificate& certificate,
                         const DataView& data, const std::vector<double>& y, double objective,
                         const GlobalBoundOptions& options, HostAlgebra& host,
                         const RunControl* control = nullptr);

/// Bytes that global_bound() takes for n samples of f features over c outputs, beside the cones.
std::size_t global_bound_bytes(std::size_t rows, std::size_t features, std::size_t outputs);

}  // namespace secondorder::convex_relu
