#include "convex_relu/robustness.hpp"

#include <algorithm>
#include <limits>

#include "convex_relu/certified_bounds.hpp"

namespace secondorder::convex_relu {

namespace {

/// Radius of each feature of z; without components.
std::vector<double> radii_of_features(const Preprocessing& p, const AttackOptions& options) {
  std::vector<double> radius;
  for (const double scale : p.scale) {
    const double in_s =
        options.units == AttackUnits::input ? options.epsilon / scale : options.epsilon;
    radius.push_back(scale > 0 ? p.feature_scale * in_s : 0);
  }
  if (p.bias_value != 0) radius.push_back(0);
  return radius;
}

double share(const std::vector<bool>& right) {
  const auto count = std::count(right.begin(), right.end(), true);
  return right.empty() ? 0 : static_cast<double>(count) / static_cast<double>(right.size());
}

/// Which samples have a positive margin.
std::vector<bool> right_samples(const NetworkModel& model, const DataView& data,
                                const std::vector<double>& y, HostAlgebra& host) {
  const std::size_t c = model.outputs;
  const std::vector<double> outputs = predict(model, data, host);
  std::vector<double> margins(data.rows);
  attack_scores(AttackGoal::margin, {outputs.data(), data.rows, c}, y.data(), margins.data());
  std::vector<bool> right;
  for (const double margin : margins) right.push_back(margin > 0);
  return right;
}

/// Which samples have a positive margin everywhere in their boxes, against every other class.
std::vector<bool> certified_samples(const NetworkModel& model, const DataView& data,
                                    const std::vector<double>& y, const AttackOptions& options,
                                    HostAlgebra& host) {
  const std::size_t f = model.preprocessing.features(), c = model.outputs;
  CertifiedBounds bounds(model, radii_of_features(model.preprocessing, options));
  std::vector<double> features(std::min(host_block, data.rows) * f);
  std::vector<bool> certified(data.rows, true);
  for_each_block(data, model.preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    const View<double> z(features.data(), s.rows, f);
    model.preprocessing.features_of(s, host, z);
    for (std::size_t rival = 0; rival < c; ++rival) {
      std::vector<double> combinations(s.rows * c);
      std::vector<bool> own(s.rows);
      for (std::size_t k = 0; k < s.rows; ++k) {
        const double* target = y.data() + (first + k) * c;
        const auto best = static_cast<std::size_t>(std::max_element(target, target + c) - target);
        own[k] = c > 1 && best == rival;
        combinations[k * c + best] = 1;
        if (c > 1) combinations[k * c + rival] -= 1;
        if (c == 1) combinations[k] = target[0];
      }
      const std::vector<double> low = bounds.lower(z, {combinations.data(), s.rows, c}, host);
      for (std::size_t k = 0; k < s.rows; ++k) {
        if (!own[k] && !(low[k] > 0)) certified[first + k] = false;
      }
    }
  });
  return certified;
}

}  // namespace

Robustness measure_robustness(const NetworkModel& model, const DataView& data,
                              const std::vector<double>& y, const AttackOptions& options,
                              HostAlgebra& host) {
  const std::vector<bool> right = right_samples(model, data, y, host);
  const std::vector<double> moved = attack(model, data, y, options, false, host);
  DataView attacked;
  attacked.values64 = moved;
  attacked.rows = data.rows;
  attacked.cols = data.cols;
  std::vector<bool> withstand = right_samples(model, attacked, y, host);
  for (std::size_t k = 0; k < right.size(); ++k) withstand[k] = withstand[k] && right[k];
  Robustness robustness{share(right), share(withstand), std::numeric_limits<double>::quiet_NaN()};
  if (model.kind == Model::relu && model.preprocessing.components.empty()) {
    robustness.certified = share(certified_samples(model, data, y, options, host));
  }
  return robustness;
}

}  // namespace secondorder::convex_relu
