// From robust ADMM's state to what a user gets: the network, its certificate, and a point to start
// again from, as extract.hpp has them for programs without an adversary.
#pragma once

#include "convex_relu/adversarial_admm.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

/// Its state is that of the last bounds().
template <class Real>
struct RobustExtraction {
  const Options& options;
  const Preprocessing& preprocessing;
  const Gates& gates;
  const RobustData& data;
  RobustAdmm<Real>& admm;
};

template <class Real>
NetworkModel extract_robust_model(const RobustExtraction<Real>& e);
template <class Real>
Certificate extract_robust_certificate(const RobustExtraction<Real>& e);
/// The weights, for a start without an adversary.
template <class Real>
Solution extract_robust_solution(const RobustExtraction<Real>& e);

}  // namespace secondorder::convex_relu
