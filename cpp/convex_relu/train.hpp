// Convex training of two-layer ReLU networks and gated ReLU models to certified global optimality
// of the sampled convex program (Bai, Gautam, Sojoudi, arXiv 2201.01965).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "base/run_control.hpp"
#include "convex_relu/certificate.hpp"
#include "convex_relu/data.hpp"
#include "convex_relu/global_bound.hpp"
#include "convex_relu/model.hpp"
#include "convex_relu/options.hpp"
#include "convex_relu/progress.hpp"

namespace secondorder::convex_relu {

/// After refinement, where the program over the network's patterns was solved to the tolerance but
/// the network is further from its bound. refined: it is better than that program's solution, which
/// over several outputs need not meet the bound. width_limit: that solution is better, but has more
/// neurons than were allowed.
enum class Status { converged, iteration_limit, time_limit, aborted, refined, width_limit };

/// What a later run may start from: ADMM's state, with parameters in z-space.
struct Solution {
  Model model = Model::relu;
  Penalty penalty = Penalty::gate;
  Loss loss = Loss::squared;
  std::size_t outputs = 1, rows = 0;
  double rho = 1, tau = 1, beta = 0;
  Gates gates;
  std::vector<double> p;   ///< sets·P·c × f
  std::vector<float> q;    ///< n × sets·P·c, or empty
  std::vector<double> qz;  ///< n × c, or empty
  /// Of a sampled convex program: its directions beside those of the gates; p is then its weights,
  /// directions × c.
  std::optional<DrawnDirections> drawn = std::nullopt;
};

/// One line of the history of gate refinement; round 0 is the descent from the first neurons.
struct Round {
  double round = 0, objective = 0;
  double pricing_ratio = 0;  ///< at the start of the round; NaN in round 0
  double neurons = 0, seconds = 0;
};

/// What adversarial training says of the network returned, on the training samples.
struct RobustReport {
  double epsilon = 0;            ///< 0: trained without
  double program_objective = 0;  ///< worst-case F of the convex program's network
  double objective = 0;          ///< F of the network returned under attack
  std::size_t descent_iterations = 0;
  bool descended = false;  ///< the network returned is that of the descent
  double accuracy = 0, attacked = 0, certified = 0;  ///< robustness.hpp; NaN without classes
};

/// What the hidden vectors of a sampled convex program assure (scp_sampling.hpp).
struct SamplingReport {
  static constexpr double xi = 0.05;  ///< of all that follows
  std::size_t directions = 0;         ///< in the program, drawn ones and others
  std::size_t drawn = 0;              ///< uniformly, by the seed
  double psi = 0;    ///< violation probability that so many assure beforehand; NaN for none
  double asked = 0;  ///< directions that the theorem asks for at ψ = ξ
  std::size_t tested = 0, violating = 0;  ///< further directions, drawn afterwards
  double limit = 0;  ///< upper confidence limit of the violation probability by them; NaN untested
};

struct Report {
  Status status = Status::iteration_limit;
  Verdict verdict;  ///< recomputed in float64 from the model and the data
  std::size_t iterations = 0, inner_iterations = 0, gates = 0, neurons = 0;
  std::size_t peak_bytes = 0;  ///< most of the host's that was held at once, inputs and results too
  std::size_t gpu_bytes = 0;   ///< on the GPU that held most; 0 on the CPU
  std::string device, device_reason;
  double seconds = 0;
  const char* route = "";
  RobustReport robust;
  std::optional<SamplingReport> sampling;
  std::vector<Progress> history;
  std::optional<GlobalBound> global;  ///< over all networks, where it was computed
  std::size_t global_rounds = 0;      ///< of training again with gates that its search found
  std::vector<Round> rounds;          ///< of gate refinement, the start first
  std::size_t refinement_rounds() const { return rounds.empty() ? 0 : rounds.size() - 1; }
  /// The greatest price found for a neuron that the network does not have, over β (pricing.hpp);
  /// NaN where it was not searched for.
  double pricing_ratio = std::numeric_limits<double>::quiet_NaN();
};

struct Request {
  DataView data;
  std::vector<double> y;  ///< n × outputs; ±1 for logistic and hinge, probabilities for softmax
  std::size_t outputs = 1;
  std::vector<double> weights;  ///< n, ≥ 0, or empty
  Options options;
  const Solution* warm_solution = nullptr;
  const NetworkModel* warm_network = nullptr;
};

struct Result {
  NetworkModel model;
  Certificate certificate;
  Solution solution;
  Report report;
};

/// With refinement the convex program is solved over the patterns of the refined network, to bound
/// what they allow; the better of both networks is returned, and `converged` says that the program
/// was solved to the tolerance and that the network is its solution or better. Over several outputs
/// a neuron has a vector of outputs there, and the bound is that of a relaxation (certificate.cpp).
///
/// Trains in Real arithmetic; objectives, certificate and the report are float64 always. Stopped
/// before its first iteration, by the time limit or an abort, it gives the zero network.
///
/// The control is looked at between tiles of some 10 ms. What cannot be interrupted: the
/// tridiagonal part of an eigendecomposition of order min(features, samples) (symmetric_eigen.hpp),
/// and after a stop the extraction and verification of what there is, which take about half a
/// second for 20,000 samples of 50 features with 256 gates and 1 output. The time limit is looked
/// at between iterations, and within set-up and new factorizations.
template <class Real>
Result train(const Request& request, const RunControl& control);

}  // namespace secondorder::convex_relu

template <>
struct secondorder::EnumNames<secondorder::convex_relu::Status> {
  using Status = convex_relu::Status;
  static constexpr Named<Status> table[] = {
      {"converged", Status::converged},   {"iteration_limit", Status::iteration_limit},
      {"time_limit", Status::time_limit}, {"aborted", Status::aborted},
      {"refined", Status::refined},       {"width_limit", Status::width_limit}};
};
