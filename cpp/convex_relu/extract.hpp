// From ADMM's state to what a user gets: the network, its certificate, a point to start again from.
#pragma once

#include "convex_relu/certificate.hpp"
#include "convex_relu/sharded_admm.hpp"
#include "convex_relu/train.hpp"

namespace secondorder::convex_relu {

template <class Real>
struct Extraction {
  const Request& request;
  const Targets& targets;
  const Targets& folded;
  const Preprocessing& preprocessing;
  const Rotation& rotation;
  const Gates& gates;
  const ShardedAdmm<Real>& admm;
  const Program<Real>& program() const { return admm.program(); }
};

/// Parameters in z-space: basis·u/scale, for rows of u; and back, scale·basisᵀ·v.
std::vector<double> to_features(const Rotation& rotation, const std::vector<double>& u);
std::vector<double> to_rotated(const Rotation& rotation, const std::vector<double>& v);

/// The neurons of V's rows in z-space, as many of either sign: hidden v/√‖v‖ with output ±√‖v‖
/// (arXiv 2201.01965, section 2), in the penalty groups of the model's grouping. Rounded to Real,
/// as users get them.
template <class Real>
void add_neurons(const std::vector<double>& v, std::size_t features, NetworkModel& model);

/// The neurons of model: hidden v/√‖v‖ with outputs √‖v‖·b, for rows of v in z-space and rows of b
/// of norm 1. Rounded likewise.
template <class Real>
void set_neurons(const std::vector<double>& v, const std::vector<double>& b, NetworkModel& model);

/// The network of V, or the gated model with its weights; rounded likewise.
template <class Real>
NetworkModel extract_model(const Extraction<Real>& e);
template <class Real>
Certificate extract_certificate(const Extraction<Real>& e);
template <class Real>
Solution extract_solution(const Extraction<Real>& e);

/// The certificate speaks of all rows of the data: those of weight 0, that `selected` leaves out,
/// get ν = μ = 0, and no shift.
void spread_rows(const Request& request, const std::vector<std::size_t>& selected, Result& result);

}  // namespace secondorder::convex_relu
