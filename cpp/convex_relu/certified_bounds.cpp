#include "convex_relu/certified_bounds.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/adversarial_program.hpp"

namespace secondorder::convex_relu {

namespace {

/// A line below weight·relu(h) for h in [low, high]: slope·h + constant.
struct Line {
  double slope = 0, constant = 0;
};

Line line_below(double weight, double low, double high) {
  if (low >= 0) return {weight, 0};
  if (high <= 0) return {0, 0};
  if (weight >= 0) return {high > -low ? weight : 0, 0};
  const double slope = weight * high / (high - low);
  return {slope, -slope * low};
}

}  // namespace

CertifiedBounds::CertifiedBounds(const NetworkModel& model, std::span<const double> radius)
    : model_(model), radius_(radius.begin(), radius.end()), spread_(model.neurons()) {
  const std::size_t f = radius_.size();
  for (std::size_t j = 0; j < spread_.size(); ++j) {
    for (std::size_t l = 0; l < f; ++l) {
      spread_[j] += radius_[l] * std::abs(model.hidden[j * f + l]);
    }
  }
}

std::vector<double> CertifiedBounds::lower(ConstView<double> z, ConstView<double> combinations,
                                           HostAlgebra& host) {
  const std::size_t rows = z.rows, f = z.cols, neurons = spread_.size(), c = model_.outputs;
  std::vector<double> bounds(rows), by_lines(rows), by_intervals(rows);
  std::vector<double> storage(rows * neurons), gradient_storage(rows * f);
  const View<double> hidden(storage.data(), rows, neurons);
  const View<double> gradient(gradient_storage.data(), rows, f);
  if (neurons > 0) {
    const ConstView<double> w(model_.hidden.data(), neurons, f);
    host.multiply(1, z, Transpose::no, w, Transpose::yes, 0, hidden);
    host.for_rows(rows, neurons * (c + 8), [&](std::size_t first, std::size_t last) {
      for (std::size_t k = first; k < last; ++k) {
        for (std::size_t j = 0; j < neurons; ++j) {
          double weight = 0;
          for (std::size_t o = 0; o < c; ++o) {
            weight += combinations.row(k)[o] * model_.output[o * neurons + j];
          }
          double& h = hidden.row(k)[j];
          const double low = h - spread_[j], high = h + spread_[j];
          by_intervals[k] += weight * std::max(weight >= 0 ? low : high, 0.0);
          const Line line = line_below(weight, low, high);
          by_lines[k] += line.slope * h + line.constant;
          h = line.slope;
        }
      }
    });
    host.multiply(1, hidden, Transpose::no, w, Transpose::no, 0, gradient);
  }
  for (std::size_t k = 0; k < rows; ++k) {
    for (std::size_t l = 0; l < f; ++l) by_lines[k] -= radius_[l] * std::abs(gradient.row(k)[l]);
    bounds[k] = model_.output_scale * std::max(by_lines[k], by_intervals[k]);
    for (std::size_t o = 0; o < c; ++o) {
      bounds[k] += combinations.row(k)[o] * model_.output_bias[o];
    }
  }
  return bounds;
}

double certified_objective(const NetworkModel& model, const DataView& data,
                           const std::vector<double>& y, const std::vector<double>& weights,
                           Loss loss, double beta, double epsilon, HostAlgebra& host) {
  const std::size_t f = model.preprocessing.features();
  CertifiedBounds certified(model, feature_radius(model.preprocessing, epsilon));
  std::vector<double> z_storage(std::min(host_block, data.rows) * f);
  double sum = 0, total = 0;
  for_each_block(data, model.preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    const View<double> z(z_storage.data(), s.rows, f);
    model.preprocessing.features_of(s, host, z);
    std::vector<double> plus(s.rows, 1), minus(s.rows, -1);
    const std::vector<double> low = certified.lower(z, {plus.data(), s.rows, 1}, host);
    const std::vector<double> negative_high = certified.lower(z, {minus.data(), s.rows, 1}, host);
    for (std::size_t k = 0; k < s.rows; ++k) {
      const double target = y[first + k], weight = weights.empty() ? 1 : weights[first + k];
      const double ends[] = {low[k], -negative_high[k]};
      double worst = 0;  // losses are convex: the worst is at an end
      for (const double& output : ends) {
        worst = std::max(worst, losses::value(loss, &output, &target, 1));
      }
      sum += weight * worst;
      total += weight;
    }
  });
  return sum / total + beta * penalty(model);
}

}  // namespace secondorder::convex_relu
