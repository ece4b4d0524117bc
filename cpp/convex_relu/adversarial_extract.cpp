#include "convex_relu/adversarial_extract.hpp"

#include "convex_relu/extract.hpp"

namespace secondorder::convex_relu {

namespace {

/// V in z-space.
template <class Real>
std::vector<double> weights_of(const RobustExtraction<Real>& e) {
  std::vector<double> v = e.admm.v();
  for (double& value : v) value /= e.data.scale;
  return v;
}

}  // namespace

template <class Real>
NetworkModel extract_robust_model(const RobustExtraction<Real>& e) {
  NetworkModel model;
  model.grouping = e.options.penalty;
  model.preprocessing = e.preprocessing;
  model.output_bias.assign(1, 0);
  add_neurons<Real>(weights_of(e), e.data.features, model);
  return model;
}

template <class Real>
Certificate extract_robust_certificate(const RobustExtraction<Real>& e) {
  Certificate certificate;
  certificate.loss = e.options.loss;
  certificate.beta = e.options.beta;
  certificate.gates = e.gates;
  certificate.weights = e.data.targets.weights;
  certificate.epsilon = *e.options.epsilon;
  const RobustDual& dual = e.admm.dual();
  certificate.nu = dual.nu;
  certificate.shifts = dual.shifts;
  for (double& shift : certificate.shifts) shift *= e.data.scale;
  for (std::size_t row = 0; row < dual.needs_multipliers.size(); ++row) {
    if (!dual.needs_multipliers[row]) continue;
    certificate.mu_rows.push_back(static_cast<std::int32_t>(row));
    for (const double mu : e.admm.multipliers(row)) {
      certificate.mu.push_back(static_cast<Real>(mu));
    }
  }
  return certificate;
}

template <class Real>
Solution extract_robust_solution(const RobustExtraction<Real>& e) {
  Solution solution;
  solution.penalty = e.options.penalty;
  solution.loss = e.options.loss;
  solution.rows = e.data.rows;
  solution.beta = e.options.beta;
  solution.gates = e.gates;
  solution.p = weights_of(e);
  return solution;
}

template NetworkModel extract_robust_model(const RobustExtraction<float>&);
template NetworkModel extract_robust_model(const RobustExtraction<double>&);
template Certificate extract_robust_certificate(const RobustExtraction<float>&);
template Certificate extract_robust_certificate(const RobustExtraction<double>&);
template Solution extract_robust_solution(const RobustExtraction<float>&);
template Solution extract_robust_solution(const RobustExtraction<double>&);

}  // namespace secondorder::convex_relu
