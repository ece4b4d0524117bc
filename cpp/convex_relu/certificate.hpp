// The certificate of a trained model: dual variables from which anybody with the data can
// recompute, in float64, a lower bound of the sampled convex program's optimum, beside the model's
// objective.
#pragma once

#include <optional>
#include <vector>

#include "convex_relu/model.hpp"
#include "convex_relu/scp_directions.hpp"

namespace secondorder::convex_relu {

struct Certificate {
  Loss loss = Loss::squared;
  double beta = 0;
  Gates gates;
  std::vector<double> nu;             ///< n × c, in the units of Σ wℓ over z-space features
  std::vector<std::int32_t> mu_rows;  ///< parameter rows (set·P + gate)·c + output that have one
  std::vector<double> mu;             ///< mu_rows × n, ≥ 0: multipliers of the cones
  std::vector<double> weights;        ///< n sample weights, or empty
  double epsilon = 0;                 ///< above 0: of a robust program (robust_certificate.hpp)
  std::vector<double> shifts;         ///< n × f, ξ of a robust program
  /// Of a sampled convex program (scp_verify.hpp): its directions beside those of the gates.
  std::optional<DrawnDirections> drawn = std::nullopt;
};

struct Verdict {
  double objective = 0;
  double dual_bound = 0;
  double gap = 0;            ///< |objective − dual bound|/objective
  double infeasibility = 0;  ///< ‖relu(−E∘XV)‖/‖XV‖ of the ReLU model's neurons in their gates

  bool within(double tolerance) const { return gap <= tolerance && infeasibility <= tolerance; }
};

/// The certificate's ν where bounds are computed from it: each sample's share moved into the domain
/// of ℓ*; with the targets in the units of training.
struct DualPoint {
  std::vector<double> nu, targets;  ///< n × c
  double total_weight = 0;
};
/// Throws ERR_DIMENSION_MISMATCH where the certificate is about another number of samples.
DualPoint dual_point(const NetworkModel& model, const Certificate& certificate,
                     const DataView& data, const std::vector<double>& y);

/// (objective − bound)/objective, 0 for a zero objective.
double relative_gap(double objective, double bound);

/// Recomputes everything from the model, the certificate's dual variables and the data. Objective
/// and bound are in the units the model was trained in, (y − output_bias)/output_scale. Who already
/// has the patterns of the certificate's gates over the data, from gate_patterns(), may give them.
Verdict verify(const NetworkModel& model, const Certificate& certificate, const DataView& data,
               const std::vector<double>& y, HostAlgebra& host, GateBits known_patterns = {});

}  // namespace secondorder::convex_relu
