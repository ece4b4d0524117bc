#include "convex_relu/scp_verify.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/dual_bound.hpp"

namespace secondorder::convex_relu {

namespace {

double direction_error(const NetworkModel& model, const std::vector<double>& directions) {
  const std::size_t neurons = model.neurons(), f = model.preprocessing.features();
  const std::size_t count = directions.size() / f;
  double errors = 0, total = 0;
  for (std::size_t j = 0; j < neurons; ++j) {
    const double* hidden = model.hidden.data() + j * f;
    double squares = 0, outputs = 0, product = 0;
    for (std::size_t l = 0; l < f; ++l) squares += hidden[l] * hidden[l];
    for (std::size_t o = 0; o < model.outputs; ++o) {
      const double out = model.output[o * neurons + j];
      outputs += out * out;
    }
    const std::size_t own =
        j < model.groups.size() ? static_cast<std::size_t>(model.groups[j]) : count;
    const double length = std::sqrt(squares);
    for (std::size_t l = 0; l < f && own < count && length > 0; ++l) {
      const double distance = hidden[l] / length - directions[own * f + l];
      product += distance * distance;
    }
    if (own >= count) product = 1;
    errors += squares * outputs * product;
    total += squares * outputs;
  }
  return total > 0 ? std::sqrt(errors / total) : 0;
}

}  // namespace

Verdict verify_sampled(const NetworkModel& model, const Certificate& certificate,
                       const DataView& data, const DualPoint& point, HostAlgebra& host) {
  const std::vector<double> directions =
      program_directions(certificate.gates, *certificate.drawn, model.preprocessing, host);
  const std::vector<double> prices =
      direction_prices(directions, point.nu, model.outputs, data, model.preprocessing, host);
  const double largest = prices.empty() ? 0 : *std::max_element(prices.begin(), prices.end());
  Verdict verdict;
  verdict.objective = objective(model, data, point.targets, certificate.weights, certificate.loss,
                                certificate.beta, host);
  verdict.dual_bound = scaled_dual(certificate.loss, point.nu, point.targets, certificate.weights,
                                   model.outputs, certificate.beta * point.total_weight, largest) /
                       point.total_weight;
  verdict.gap = relative_gap(verdict.objective, verdict.dual_bound);
  verdict.infeasibility = direction_error(model, directions);
  return verdict;
}

}  // namespace secondorder::convex_relu
