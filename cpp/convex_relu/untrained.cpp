#include "convex_relu/untrained.hpp"

#include <utility>

#include "convex_relu/dual_bound.hpp"
#include "convex_relu/option_names.hpp"

namespace secondorder::convex_relu {

namespace {

Preprocessing identity(std::size_t features, bool bias) {
  Preprocessing p;
  p.mean.assign(features, 0);
  p.scale.assign(features, 1);
  p.bias_value = bias ? 1 : 0;
  return p;
}

Gates open_everywhere(std::size_t features) {
  Gates gates{std::vector<double>(features + 1), 1};
  gates.rows.back() = 1;
  return gates;
}

/// As verify() finds it, whose dual norm at ν = 0 is 0.
Verdict verdict_at_zero(const Request& request, const std::vector<double>& nu) {
  const std::size_t c = request.outputs;
  const Options& o = request.options;
  const std::vector<double> zero(c);
  Verdict verdict;
  double total = 0;
  for (std::size_t k = 0; k < request.data.rows; ++k) {
    const double weight = request.weights.empty() ? 1 : request.weights[k];
    verdict.objective += weight * losses::value(o.loss, zero.data(), request.y.data() + k * c, c);
    total += weight;
  }
  verdict.objective /= total;
  verdict.dual_bound =
      scaled_dual(o.loss, nu, request.y, request.weights, c, o.beta * total, 0) / total;
  verdict.gap = relative_gap(verdict.objective, verdict.dual_bound);
  return verdict;
}

}  // namespace

Result untrained(const Request& request, Preprocessing preprocessing, Gates gates) {
  const Options& o = request.options;
  const std::size_t d = request.data.cols;
  if (preprocessing.mean.empty()) preprocessing = identity(d, o.bias);
  if (gates.count == 0) gates = open_everywhere(d);
  Result result;
  NetworkModel& model = result.model;
  model.kind = o.model;
  model.grouping = o.penalty;
  model.outputs = request.outputs;
  model.preprocessing = std::move(preprocessing);
  model.output_bias.assign(request.outputs, 0);
  Certificate& certificate = result.certificate;
  certificate.loss = o.loss;
  certificate.beta = o.beta;
  certificate.gates = std::move(gates);
  certificate.nu.assign(request.data.rows * request.outputs, 0);
  certificate.weights = request.weights;
  if (request.warm_solution != nullptr) {
    result.solution = *request.warm_solution;
  } else {
    result.solution.model = o.model;
    result.solution.penalty = o.penalty;
    result.solution.loss = o.loss;
    result.solution.outputs = request.outputs;
    result.solution.rows = request.data.rows;
    result.solution.beta = o.beta;
  }
  result.report.verdict = verdict_at_zero(request, certificate.nu);
  result.report.gates = certificate.gates.count;
  result.report.route = name(o.route);
  return result;
}

}  // namespace secondorder::convex_relu
