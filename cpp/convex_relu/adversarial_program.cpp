#include "convex_relu/adversarial_program.hpp"

#include <cmath>

namespace secondorder::convex_relu {

std::vector<double> feature_radius(const Preprocessing& preprocessing, double epsilon) {
  std::vector<double> radius;
  for (const double scale : preprocessing.scale) radius.push_back(scale > 0 ? epsilon : 0);
  if (preprocessing.bias_value != 0) radius.push_back(0);
  return radius;
}

RobustData make_robust_data(const DataView& data, const Preprocessing& preprocessing,
                            const Targets& targets, const Options& options, HostAlgebra& host) {
  RobustData robust;
  robust.rows = data.rows;
  robust.features = preprocessing.features();
  robust.loss = options.loss;
  robust.targets = targets;
  robust.x.resize(robust.rows * robust.features);
  const View<double> x(robust.x.data(), robust.rows, robust.features);
  for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    preprocessing.features_of(s, host, x.block(first, s.rows));
  });
  double norms = 0, columns = 0;
  for (std::size_t j = 0; j < robust.features; ++j) {
    double squares = 0;
    for (std::size_t k = 0; k < robust.rows; ++k) squares += x.row(k)[j] * x.row(k)[j];
    norms += std::sqrt(squares);
    columns += squares > 0 ? 1 : 0;
  }
  robust.scale = norms > 0 ? norms / columns : 1;
  for (double& value : robust.x) value /= robust.scale;
  robust.radius = feature_radius(preprocessing, *options.epsilon / robust.scale);
  robust.beta = options.beta * targets.total_weight / robust.scale;
  return robust;
}

template <class Real>
void RobustProgram<Real>::load(const RobustData& data, GateBits patterns, Algebra<Real>& algebra) {
  loss = data.loss;
  beta = data.beta;
  const auto upload = [&](const std::vector<double>& values, View<Real> to) {
    const std::vector<Real> converted(values.begin(), values.end());
    algebra.upload(converted, to);
  };
  upload(data.x, x);
  upload(data.targets.y, y);
  upload(data.radius, radius);
  if (weights.data != nullptr) upload(data.targets.weights, weights);
  std::vector<Real> open(rows);
  for (std::size_t i = 0; i < gates; ++i) {
    for (std::size_t k = 0; k < rows; ++k) open[k] = patterns.test(k, i) ? Real(1) : Real(0);
    algebra.upload(open, d.block(i, 1));
  }
}

template struct RobustProgram<float>;
template struct RobustProgram<double>;

}  // namespace secondorder::convex_relu
