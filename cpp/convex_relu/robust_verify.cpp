#include "convex_relu/robust_verify.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/certified_bounds.hpp"
#include "convex_relu/robust_certificate.hpp"

namespace secondorder::convex_relu {

namespace {

/// Parameter rows whose multipliers are signed at once.
constexpr std::size_t row_block = 64;

/// The program in the units of z: scale 1.
RobustData unscaled_data(const NetworkModel& model, const Certificate& certificate,
                         const DataView& data, const std::vector<double>& y, HostAlgebra& host) {
  Options options;
  options.loss = certificate.loss;
  options.epsilon = certificate.epsilon;
  DataView rows;  // y and weights are those of the rows selected already
  rows.rows = data.rows;
  const Targets targets = Targets::of(rows, y, 1, certificate.weights);
  RobustData robust = make_robust_data(data, model.preprocessing, targets, options, host);
  for (double& value : robust.x) value *= robust.scale;
  for (double& value : robust.radius) value *= robust.scale;
  robust.scale = 1;
  robust.beta = certificate.beta * targets.total_weight;
  return robust;
}

/// The largest ‖soft(±Σₖ Dₖᵢ(νₖzₖ + ξₖ) − Zᵀ(Eᵢμᵢ), r·Σμᵢ)‖₂.
double largest_norm(const RobustData& robust, const Certificate& certificate, GateBits bits,
                    std::vector<double>& multipliers, HostAlgebra& host) {
  const std::size_t n = robust.rows, f = robust.features, count = bits.gates;
  std::vector<double> ones(n, 1), c(count * f);
  // Σₖ Dₖᵢ·(row k) is a gated product with a single feature of 1 and f outputs.
  host.gated_adjoint({ones.data(), n, 1}, bits, {multipliers.data(), n, f},
                     {c.data(), count * f, 1});
  std::vector<double> norms(2 * count);
  for (std::size_t row = 0; row < 2 * count; ++row) {
    norms[row] = robust_dual_norm(c.data() + row % count * f, 1, nullptr, 0, robust.radius);
  }
  std::vector<double> signed_mu(row_block * n), products(row_block * f);
  const std::size_t total = certificate.mu_rows.size();
  for (std::size_t first = 0; first < total; first += row_block) {
    const std::size_t rows = std::min(row_block, total - first);
    std::vector<double> sums(rows);
    for (std::size_t j = 0; j < rows; ++j) {
      const std::size_t gate = static_cast<std::size_t>(certificate.mu_rows[first + j]) % count;
      for (std::size_t k = 0; k < n; ++k) {
        const double mu = std::max(certificate.mu[(first + j) * n + k], 0.0);
        signed_mu[j * n + k] = bits.test(k, gate) ? mu : -mu;
        sums[j] += mu;
      }
    }
    host.multiply(1, {signed_mu.data(), rows, n}, Transpose::no, robust.features_view(),
                  Transpose::no, 0, {products.data(), rows, f});
    for (std::size_t j = 0; j < rows; ++j) {
      const auto row = static_cast<std::size_t>(certificate.mu_rows[first + j]);
      norms[row] = robust_dual_norm(c.data() + row % count * f, row < count ? 1 : -1,
                                    products.data() + j * f, sums[j], robust.radius);
    }
  }
  return *std::max_element(norms.begin(), norms.end());
}

/// How far the neurons leave the robust cones of their gates; those of later groups have none.
double violation(const NetworkModel& model, const RobustData& robust, GateBits bits,
                 HostAlgebra& host) {
  const std::size_t n = robust.rows, f = robust.features, neurons = model.neurons();
  if (neurons == 0 || model.groups.size() != neurons) return 0;
  double outside = 0, total = 0;
  std::vector<double> activations(n);
  for (std::size_t j = 0; j < neurons; ++j) {
    if (static_cast<std::size_t>(model.groups[j]) >= 2 * bits.gates) continue;
    const double* hidden = model.hidden.data() + j * f;
    double level = 0;
    for (std::size_t l = 0; l < f; ++l) level += robust.radius[l] * std::abs(hidden[l]);
    const std::size_t gate = static_cast<std::size_t>(model.groups[j]) % bits.gates;
    host.multiply(1, robust.features_view(), Transpose::no, {hidden, 1, f}, Transpose::yes, 0,
                  {activations.data(), n, 1});
    const double square = model.output[j] * model.output[j];
    for (std::size_t k = 0; k < n; ++k) {
      if (!robust.targets.weights.empty() && robust.targets.weights[k] == 0) continue;
      const double value = bits.test(k, gate) ? activations[k] : -activations[k];
      const double missing = std::max(level - value, 0.0);
      total += square * value * value;
      outside += square * missing * missing;
    }
  }
  return total > 0 ? std::sqrt(outside / total) : 0;
}

}  // namespace

Verdict verify_robust(const NetworkModel& model, const Certificate& certificate,
                      const DataView& data, const std::vector<double>& y, HostAlgebra& host) {
  const RobustData robust = unscaled_data(model, certificate, data, y, host);
  RobustDual dual{certificate.nu, certificate.shifts, {}};
  dual.shifts.resize(robust.rows * robust.features);
  std::vector<double> multipliers = project_robust_dual(robust, dual);
  std::vector<std::uint64_t> words =
      gate_patterns(data, model.preprocessing, certificate.gates, host);
  const GateBits bits{words.data(), robust.rows, certificate.gates.count};
  const double largest = largest_norm(robust, certificate, bits, multipliers, host);
  Verdict verdict;
  verdict.objective = certified_objective(model, data, y, certificate.weights, certificate.loss,
                                          certificate.beta, certificate.epsilon, host);
  verdict.dual_bound = scaled_robust_dual(robust, dual, largest) / robust.targets.total_weight;
  verdict.gap = relative_gap(verdict.objective, verdict.dual_bound);
  verdict.infeasibility = violation(model, robust, bits, host);
  return verdict;
}

}  // namespace secondorder::convex_relu
