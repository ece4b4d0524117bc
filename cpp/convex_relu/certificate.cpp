#include "convex_relu/certificate.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "convex_relu/dual_bound.hpp"

namespace secondorder::convex_relu {

namespace {

/// Everything in float64: z of all rows, and the patterns of the certificate's gates.
struct Features {
  std::vector<double> storage;
  std::vector<std::uint64_t> words;
  View<double> z;
  GateBits bits;

  Features(const Preprocessing& preprocessing, const Gates& gates, const DataView& data,
           HostAlgebra& host)
      : storage(data.rows * preprocessing.features()),
        words(data.rows * GateBits::words_per_row(gates.count)),
        z(storage.data(), data.rows, preprocessing.features()),
        bits{words.data(), data.rows, gates.count} {
    for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
      preprocessing.features_of(s, host, z.block(first, s.rows));
      block_patterns(s, gates, host, bits.block(first, s.rows));
    });
  }
};

/// Rows of Zᵀ·(Eᵢ∘μ) for the certificate's multipliers.
std::vector<double> multiplier_products(const Certificate& certificate, const Features& features,
                                        std::size_t outputs, HostAlgebra& host) {
  const std::size_t n = features.z.rows, f = features.z.cols, count = certificate.mu_rows.size();
  const std::size_t gates = certificate.gates.count;
  std::vector<double> signed_mu(count * n), products(count * f);
  host.for_rows(count, n, [&](std::size_t first, std::size_t last) {
    for (std::size_t j = first; j < last; ++j) {
      const auto row = static_cast<std::size_t>(certificate.mu_rows[j]);
      const std::size_t gate = row / outputs % gates;
      for (std::size_t k = 0; k < n; ++k) {
        const double value = std::max(certificate.mu[j * n + k], 0.0);
        signed_mu[j * n + k] = features.bits.test(k, gate) ? value : -value;
      }
    }
  });
  host.multiply(1, {signed_mu.data(), count, n}, Transpose::no, features.z, Transpose::no, 0,
                {products.data(), count, f});
  return products;
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
  std::vector<double> block(std::min(host_block, n) * neurons);
  double violation = 0, total = 0;
  for (std::size_t first = 0; first < n; first += host_block) {
    const std::size_t rows = std::min(host_block, n - first);
    const View<double> activations(block.data(), rows, neurons);
    host.multiply(1, features.z.block(first, rows), Transpose::no,
                  {model.hidden.data(), neurons, f}, Transpose::yes, 0, activations);
    for (std::size_t j = 0; j < neurons; ++j) {
      const std::size_t gate =
          static_cast<std::size_t>(model.groups[j]) / divisor % certificate.gates.count;
      double out = 0;
      for (std::size_t o = 0; o < model.outputs; ++o) {
        out += model.output[o * neurons + j] * model.output[o * neurons + j];
      }
      for (std::size_t k = 0; k < rows; ++k) {
        if (!certificate.weights.empty() && certificate.weights[first + k] == 0) continue;
        const double value = activations.row(k)[j];
        const bool outside = features.bits.test(first + k, gate) ? value < 0 : value > 0;
        total += out * value * value;
        if (outside) violation += out * value * value;
      }
    }
  }
  return total > 0 ? std::sqrt(violation / total) : 0;
}

}  // namespace

double relative_gap(double objective, double bound) {
  return objective > 0 ? std::abs(objective - bound) / objective : 0;
}

Verdict verify(const NetworkModel& model, const Certificate& certificate, const DataView& data,
               const std::vector<double>& y, HostAlgebra& host) {
  const std::size_t c = model.outputs;
  if (certificate.nu.size() != data.rows * c) {
    throw Error(ErrorCode::dimension_mismatch,
                "x: the certificate is about " + std::to_string(certificate.nu.size() / c) +
                    " samples, the data has " + std::to_string(data.rows),
                "x");
  }
  double total = 0;
  for (std::size_t k = 0; k < data.rows; ++k) {
    total += certificate.weights.empty() ? 1 : certificate.weights[k];
  }
  NetworkModel plain = model;  // in the units it was trained in
  plain.output_scale = 1;
  plain.output_bias.assign(c, 0);
  std::vector<double> targets(y);
  for (std::size_t k = 0; k < targets.size(); ++k) {
    targets[k] = (y[k] - model.output_bias[k % c]) / model.output_scale;
  }
  std::vector<double> nu = certificate.nu;
  for (std::size_t k = 0; k < data.rows; ++k) {
    const double weight = certificate.weights.empty() ? 1 : certificate.weights[k];
    double* row = nu.data() + k * c;
    for (std::size_t o = 0; o < c; ++o) row[o] = weight > 0 ? row[o] / weight : 0;
    losses::project_dual(certificate.loss, row, targets.data() + k * c, c);
    for (std::size_t o = 0; o < c; ++o) row[o] *= weight;
  }

  const Features features(model.preprocessing, certificate.gates, data, host);
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
