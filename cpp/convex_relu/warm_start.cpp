#include "convex_relu/warm_start.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "convex_relu/extract.hpp"

namespace secondorder::convex_relu {

namespace {

/// V of the neurons, at the places of their gates (the last ones); neurons whose gates were
/// duplicates are left out, which only makes the start less warm.
std::vector<double> network_parameters(const NetworkModel& network, const Preprocessing& to,
                                       const Gates& gates, const GatedShape& shape, std::size_t f) {
  const ConvertedNeurons neurons = convert_neurons(network, to);
  const std::size_t width = gates.width(), count = network.neurons(), c = network.outputs;
  std::vector<double> v(shape.parameter_rows() * f);
  for (std::size_t i = 0; i < count; ++i) {
    const double* gate = neurons.gates.data() + i * width;
    for (std::size_t g = gates.count; g-- > 0;) {
      if (!std::equal(gate, gate + width, gates.rows.data() + g * width)) continue;
      for (std::size_t o = 0; o < c; ++o) {
        const double out = network.output[o * count + i];
        double* row = v.data() + ((out < 0 ? shape.set_rows() : 0) + g * c + o) * f;
        for (std::size_t l = 0; l < f; ++l) row[l] += std::abs(out) * neurons.weights[i * f + l];
      }
      break;
    }
  }
  return v;
}

/// p whose threshold at β/ρ is V: each group moved out by β/ρ.
void add_threshold(std::vector<double>& p, std::size_t group_size, double threshold) {
  for (std::size_t first = 0; first < p.size(); first += group_size) {
    double squares = 0;
    for (std::size_t j = 0; j < group_size; ++j) squares += p[first + j] * p[first + j];
    const double grow = squares > 0 ? 1 + threshold / std::sqrt(squares) : 1;
    for (std::size_t j = 0; j < group_size; ++j) p[first + j] *= grow;
  }
}

/// p = V + λ/ρ with the multiplier λ, of norm β in active groups, over ρ scaled by a ratio.
void rescale_multipliers(std::vector<double>& p, std::size_t group_size, double old_threshold,
                         double ratio) {
  for (std::size_t first = 0; first < p.size(); first += group_size) {
    double squares = 0;
    for (std::size_t j = 0; j < group_size; ++j) squares += p[first + j] * p[first + j];
    const double norm = std::sqrt(squares), rest = std::min(norm, old_threshold);
    const double factor = norm > 0 ? (norm - rest + ratio * rest) / norm : 1;
    for (std::size_t j = 0; j < group_size; ++j) p[first + j] *= factor;
  }
}

bool fits(const Solution& solution, const Request& request, const Preprocessing& preprocessing) {
  const std::size_t sets = solution.model == Model::relu ? 2 : 1;
  return !solution.drawn && solution.model == request.options.model &&
         solution.outputs == request.outputs &&
         solution.p.size() ==
             sets * solution.gates.count * solution.outputs * preprocessing.features();
}

/// V of a solution: its p, in the coordinates of the program, shortened by the threshold it had.
std::vector<double> solution_parameters(const Solution& solution, const Rotation& rotation,
                                        double threshold) {
  std::vector<double> p = to_rotated(rotation, solution.p);
  const std::size_t group =
      rotation.rank() * (solution.penalty == Penalty::gate ? solution.outputs : 1);
  rescale_multipliers(p, group, threshold, 0);
  return p;
}

}  // namespace

/// Through raw features: z = [φ·C·(x − mean)/scale, bias].
ConvertedNeurons convert_neurons(const NetworkModel& network, const Preprocessing& to) {
  const Preprocessing& from = network.preprocessing;
  const std::size_t d = from.raw_features(), kept = from.kept(), f = from.features();
  const std::size_t count = network.neurons();
  ConvertedNeurons neurons{std::vector<double>(count * (d + 1)), {}};
  for (std::size_t i = 0; i < count; ++i) {
    const double* hidden = network.hidden.data() + i * f;
    double* gate = neurons.gates.data() + i * (d + 1);
    double offset = from.bias_value != 0 ? hidden[kept] * from.bias_value : 0;
    for (std::size_t j = 0; j < d; ++j) {
      double slope = 0;  // of the pre-activation along s_j of the network's own preprocessing
      if (from.components.empty()) {
        slope = hidden[j];
      } else {
        for (std::size_t l = 0; l < kept; ++l) slope += hidden[l] * from.components[l * d + j];
      }
      const double raw = from.scale[j] > 0 ? slope * from.feature_scale / from.scale[j] : 0;
      offset += raw * (to.mean[j] - from.mean[j]);
      gate[j] = raw * to.scale[j];
    }
    gate[d] = offset;
  }
  neurons.weights = gate_weights({neurons.gates, count}, to);
  return neurons;
}

Neurons starting_neurons(const Request& request, const Preprocessing& preprocessing,
                         const Rotation& rotation, double beta) {
  const std::size_t c = request.outputs, r = rotation.rank();
  if (request.warm_network != nullptr) {
    const NetworkModel& network = *request.warm_network;
    const std::vector<double> u =
        to_rotated(rotation, convert_neurons(network, preprocessing).weights);
    std::vector<double> weights;
    for (std::size_t j = 0; j < network.neurons(); ++j) {
      weights.insert(weights.end(), u.data() + j * r, u.data() + (j + 1) * r);
      for (std::size_t o = 0; o < c; ++o)
        weights.push_back(network.output[o * network.neurons() + j]);
    }
    return neurons_of(weights, r, c);
  }
  const Solution& solution = *request.warm_solution;
  const double threshold = beta / request.options.beta * solution.beta / solution.rho;
  const std::vector<double> v = solution_parameters(solution, rotation, threshold);
  Neurons neurons{r, c, {}, {}};
  std::vector<double> b(c);
  for (std::size_t row = 0; row < v.size() / r; ++row) {
    b.assign(c, 0);
    b[row % c] = row < v.size() / r / 2 ? 1 : -1;
    neurons.append({v.data() + row * r, r}, b);
  }
  return by_size(neurons);
}

void check_warm_start(const Request& request, const DataView& data,
                      const Preprocessing& preprocessing) {
  const Solution* solution = request.warm_solution;
  if (solution != nullptr &&
      (solution->gates.width() != data.cols + 1 || !fits(*solution, request, preprocessing))) {
    throw Error(ErrorCode::dimension_mismatch,
                "warmStart: the solution is of another model, number of outputs or number of "
                "features than this problem",
                "warmStart");
  }
  const NetworkModel* network = request.warm_network;
  if (network != nullptr &&
      (network->preprocessing.raw_features() != data.cols || network->outputs != request.outputs)) {
    throw Error(ErrorCode::dimension_mismatch,
                "warmStart: the network has other numbers of features or outputs than this "
                "problem",
                "warmStart");
  }
}

Gates starting_gates(const Request& request, const DataView& data,
                     const Preprocessing& preprocessing, HostAlgebra& host) {
  check_warm_start(request, data, preprocessing);
  if (request.warm_solution != nullptr) return request.warm_solution->gates;
  Gates gates = sample_gates(data, preprocessing, request.options, host);
  if (request.warm_network != nullptr) {
    append_gates(data, preprocessing, convert_neurons(*request.warm_network, preprocessing).gates,
                 host, gates);
  }
  return gates;
}

template <class Real>
void start_admm(const Request& request, const Preprocessing& preprocessing,
                const Rotation& rotation, const Gates& gates, double rho, ShardedAdmm<Real>& admm) {
  const Program<Real>& program = admm.program();
  const GatedShape& s = program.shape;
  const std::size_t group_size = program.group * rotation.rank();
  const auto start = [&](const std::vector<double>& u, double start_rho, double tau,
                         const std::vector<float>& q, const std::vector<double>& qz) {
    const std::vector<Real> p(u.begin(), u.end()), cones(q.begin(), q.end()),
        targets(qz.begin(), qz.end());
    admm.start(start_rho, tau, p, cones, targets);
  };
  if (request.warm_solution != nullptr) {
    const Solution& from = *request.warm_solution;
    const bool same = from.rows == s.rows && from.penalty == request.options.penalty;
    std::vector<double> p = to_rotated(rotation, from.p);
    // Multipliers are in proportion to β, those of the cones too: with ρ in proportion as well, p
    // and q stay as they are.
    const double ratio = from.beta > 0 ? request.options.beta / from.beta : 1;
    const double natural_rho = ratio * from.rho;
    const double start_rho = request.options.rho.value_or(natural_rho);
    rescale_multipliers(p, group_size, program.beta / natural_rho, natural_rho / start_rho);
    const bool cones = same && from.q.size() == s.rows * s.parameter_rows();
    const bool split = same && from.loss == program.loss && from.qz.size() == s.rows * s.outputs;
    start(p, start_rho, split ? from.tau : admm.tau(), cones ? from.q : std::vector<float>{},
          split ? from.qz : std::vector<double>{});
  } else if (request.warm_network != nullptr && program.cones()) {
    std::vector<double> p = to_rotated(
        rotation,
        network_parameters(*request.warm_network, preprocessing, gates, s, rotation.features));
    add_threshold(p, group_size, program.beta / rho);
    start(p, rho, admm.tau(), {}, {});
  } else {
    admm.start(rho);
  }
}

template void start_admm(const Request&, const Preprocessing&, const Rotation&, const Gates&,
                         double, ShardedAdmm<float>&);
template void start_admm(const Request&, const Preprocessing&, const Rotation&, const Gates&,
                         double, ShardedAdmm<double>&);

}  // namespace secondorder::convex_relu
