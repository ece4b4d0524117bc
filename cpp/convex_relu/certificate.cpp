#include "convex_relu/certificate.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "convex_relu/dual_bound.hpp"
#include "convex_relu/robust_verify.hpp"
#include "convex_relu/scp_verify.hpp"

namespace secondorder::convex_relu {

namespace {

/// Samples whose multipliers are signed at once.
constexpr std::size_t multiplier_block = 1024;

/// Everything in float64: z of all rows, and the patterns of the certificate's gates.
struct Features {
  std::vector<double> storage;
  std::vector<std::uint64_t> words;
  View<double> z;
  GateBits bits;

  Features(const Preprocessing& preprocessing, const Gates& gates, const DataView& data,
           GateBits known, HostAlgebra& host)
      : storage(data.rows * preprocessing.features()),
        z(storage.data(), data.rows, preprocessing.features()),
        bits(known) {
    const bool all_known = known.rows == data.rows && known.gates == gates.count;
    if (!all_known) {
      words.resize(data.rows * GateBits::words_per_row(gates.count));
      bits = {words.data(), data.rows, gates.count};
    }
    for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
      preprocessing.features_of(s, host, z.block(first, s.rows));
      if (!all_known) block_patterns(s, gates, host, bits.block(first, s.rows));
    });
  }
};

/// Rows of Zᵀ·(Eᵢ∘μ) for the certificate's multipliers, summed up over blocks of samples.
std::vector<double> multiplier_products(const Certificate& certificate, const Features& features,
                                        std::size_t outputs, HostAlgebra& host) {
  const std::size_t n = features.z.rows, f = features.z.cols, count = certificate.mu_rows.size();
  const std::size_t gates = certificate.gates.count;
  std::vector<double> signed_mu(count * std::min(multiplier_block, n)), products(count * f);
  for (std::size_t start = 0; start < n; start += multiplier_block) {
    const std::size_t rows = std::min(multiplier_block, n - start);
    const View<double> block(signed_mu.data(), count, rows);
    host.for_rows(count, 4 * rows, [&](std::size_t first, std::size_t last) {
      for (std::size_t j = first; j < last; ++j) {
        const auto row = static_cast<std::size_t>(certificate.mu_rows[j]);
        const std::size_t gate = row / outputs % gates;
        for (std::size_t k = 0; k < rows; ++k) {
          const double value = std::max(certificate.mu[j * n + start + k], 0.0);
          block.row(j)[k] = features.bits.test(start + k, gate) ? value : -value;
        }
      }
    });
    host.multiply(1, block, Transpose::no, features.z.block(start, rows), Transpose::no, 1,
                  {products.data(), count, f});
  }
  return products;
}

/// A neuron whose outputs have both signs.
bool has_mixed_outputs(const NetworkModel& model) {
  const std::size_t neurons = model.neurons();
  for (std::size_t j = 0; model.kind == Model::relu && j < neurons; ++j) {
    bool above = false, below = false;
    for (std::size_t o = 0; o < model.outputs; ++o) {
      above = above || model.output[o * neurons + j] > 0;
      below = below || model.output[o * neurons + j] < 0;
    }
    if (above && below) return true;
  }
  return false;
}

/// Such a neuron belongs to both sets, with the penalty ‖w‖‖a‖: along a gate, |νₒᵀDᵢXu| is at most
/// the larger norm of the two sets, so that ‖(νₒᵀDᵢXu)ₒ‖ ≤ √Σₒ max(…)² for every unit u in its
/// cone.
double largest_joint_norm(ConstView<double> all, std::size_t outputs, HostAlgebra& host) {
  std::vector<double> norms(all.rows);
  host.group_norms(all, 1, norms);
  const std::size_t set_rows = all.rows / 2;
  double largest = 0;
  for (std::size_t gate = 0; gate < set_rows / outputs; ++gate) {
    double squares = 0;
    for (std::size_t o = 0; o < outputs; ++o) {
      const double norm = std::max(norms[gate * outputs + o], norms[set_rows + gate * outputs + o]);
      squares += norm * norm;
    }
    largest = std::max(largest, std::sqrt(squares));
  }
  return largest;
}

/// The largest ‖Zᵀ(±Dᵢν − Eᵢμᵢ)‖ over the penalty groups.
double largest_dual_norm(const NetworkModel& model, const Certificate& certificate,
                         const std::vector<double>& nu, const Features& features,
                         HostAlgebra& host) {
  const std::size_t outputs = model.outputs;
  const std::size_t n = features.z.rows, f = features.z.cols, gates = certificate.gates.count;
  const std::size_t set_rows = gates * outputs;
  const std::size_t sets = model.kind == Model::relu ? 2 : 1;
  std::vector<double> adjoint(set_rows * f), all(sets * set_rows * f);
  host.gated_adjoint(features.z, features.bits, {nu.data(), n, outputs},
                     {adjoint.data(), set_rows, f});
  for (std::size_t s = 0; s < sets; ++s) {
    for (std::size_t j = 0; j < set_rows * f; ++j) {
      all[s * set_rows * f + j] = s == 0 ? adjoint[j] : -adjoint[j];
    }
  }
  if (!certificate.mu_rows.empty()) {
    const std::vector<double> products = multiplier_products(certificate, features, outputs, host);
    for (std::size_t j = 0; j < certificate.mu_rows.size(); ++j) {
      double* row = all.data() + static_cast<std::size_t>(certificate.mu_rows[j]) * f;
      for (std::size_t l = 0; l < f; ++l) row[l] -= products[j * f + l];
    }
  }
  if (has_mixed_outputs(model)) {
    return largest_joint_norm({all.data(), sets * set_rows, f}, outputs, host);
  }
  const std::size_t group = model.grouping == Penalty::gate ? outputs : 1;
  std::vector<double> norms(sets * set_rows / group);
  host.group_norms({all.data(), sets * set_rows, f}, group, norms);
  return *std::max_element(norms.begin(), norms.end());
}

/// How far the neurons' activations leave the cones of their gates.
double cone_violation(const NetworkModel& model, const Certificate& certificate,
                      const Features& features, HostAlgebra& host) {
  const std::size_t neurons = model.neurons(), n = features.z.rows, f = features.z.cols;
  if (model.kind == Model::gated || neurons == 0 || model.groups.size() != neurons) return 0;
  const std::size_t divisor = model.grouping == Penalty::neuron ? model.outputs : 1;
  std::vector<std::size_t> gates(neurons);
  std::vector<double> squared_out(neurons);
  for (std::size_t j = 0; j < neurons; ++j) {
    gates[j] = static_cast<std::size_t>(model.groups[j]) / divisor % certificate.gates.count;
    for (std::size_t o = 0; o < model.outputs; ++o) {
      squared_out[j] += model.output[o * neurons + j] * model.output[o * neurons + j];
    }
  }
  std::vector<double> block(std::min(host_block, n) * neurons);
  std::vector<ConeSums> rows_sums(n);
  for (std::size_t first = 0; first < n; first += host_block) {
    const std::size_t rows = std::min(host_block, n - first);
    const View<double> activations(block.data(), rows, neurons);
    host.multiply(1, features.z.block(first, rows), Transpose::no,
                  {model.hidden.data(), neurons, f}, Transpose::yes, 0, activations);
    host.for_rows(rows, 4 * neurons, [&](std::size_t from, std::size_t to) {
      for (std::size_t k = from; k < to; ++k) {
        if (!certificate.weights.empty() && certificate.weights[first + k] == 0) continue;
        ConeSums& sums = rows_sums[first + k];
        for (std::size_t j = 0; j < neurons; ++j) {
          const double value = activations.row(k)[j], square = squared_out[j] * value * value;
          const bool outside = features.bits.test(first + k, gates[j]) ? value < 0 : value > 0;
          sums.total += square;
          if (outside) sums.violation += square;
        }
      }
    });
  }
  ConeSums all;
  for (const ConeSums& sums : rows_sums) {
    all.total += sums.total;
    all.violation += sums.violation;
  }
  return all.total > 0 ? std::sqrt(all.violation / all.total) : 0;
}

}  // namespace

double relative_gap(double objective, double bound) {
  return objective > 0 ? std::abs(objective - bound) / objective : 0;
}

DualPoint dual_point(const NetworkModel& model, const Certificate& certificate,
                     const DataView& data, const std::vector<double>& y) {
  const std::size_t c = model.outputs;
  if (certificate.nu.size() != data.rows * c) {
    throw Error(ErrorCode::dimension_mismatch,
                "x: the certificate is about " + std::to_string(certificate.nu.size() / c) +
                    " samples, the data has " + std::to_string(data.rows),
                "x");
  }
  DualPoint point{certificate.nu, y, 0};
  for (std::size_t k = 0; k < y.size(); ++k) {
    point.targets[k] = (y[k] - model.output_bias[k % c]) / model.output_scale;
  }
  for (std::size_t k = 0; k < data.rows; ++k) {
    const double weight = certificate.weights.empty() ? 1 : certificate.weights[k];
    point.total_weight += weight;
    double* row = point.nu.data() + k * c;
    for (std::size_t o = 0; o < c; ++o) row[o] = weight > 0 ? row[o] / weight : 0;
    losses::project_dual(certificate.loss, row, point.targets.data() + k * c, c);
    for (std::size_t o = 0; o < c; ++o) row[o] *= weight;
  }
  return point;
}

Verdict verify(const NetworkModel& model, const Certificate& certificate, const DataView& data,
               const std::vector<double>& y, HostAlgebra& host, GateBits known_patterns) {
  const std::size_t c = model.outputs;
  const DualPoint point = dual_point(model, certificate, data, y);
  const auto& [nu, targets, total] = point;
  NetworkModel plain = model;  // in the units it was trained in
  plain.output_scale = 1;
  plain.output_bias.assign(c, 0);
  if (certificate.epsilon > 0) return verify_robust(plain, certificate, data, targets, host);
  if (certificate.drawn) return verify_sampled(plain, certificate, data, point, host);

  const Features features(model.preprocessing, certificate.gates, data, known_patterns, host);
  const double largest = largest_dual_norm(model, certificate, nu, features, host);
  Verdict verdict;
  verdict.objective = objective(plain, data, targets, certificate.weights, certificate.loss,
                                certificate.beta, host);
  verdict.dual_bound = scaled_dual(certificate.loss, nu, targets, certificate.weights, c,
                                   certificate.beta * total, largest) /
                       total;
  verdict.gap = relative_gap(verdict.objective, verdict.dual_bound);
  verdict.infeasibility = cone_violation(plain, certificate, features, host);
  return verdict;
}

}  // namespace secondorder::convex_relu
