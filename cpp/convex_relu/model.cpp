#include "convex_relu/model.hpp"

#include <cmath>
#include <map>

namespace secondorder::convex_relu {

namespace {

/// out (rows × c) += Σᵢ 1[gate i]·weightsᵢ·z, for a block of rows.
void gated_block(const NetworkModel& model, ConstView<double> s, ConstView<double> z,
                 HostAlgebra& host, View<double> out) {
  const std::size_t f = z.cols, count = model.gates.count;
  std::vector<std::uint64_t> words(s.rows * GateBits::words_per_row(count));
  const GateBits bits{words.data(), s.rows, count};
  block_patterns(s, model.gates, host, bits);
  std::vector<double> u(model.weights.size());  // from output-major to gate-major
  for (std::size_t o = 0; o < model.outputs; ++o) {
    for (std::size_t i = 0; i < count; ++i) {
      std::copy_n(model.weights.data() + (o * count + i) * f, f,
                  u.data() + (i * model.outputs + o) * f);
    }
  }
  host.gated_forward(z, bits, {u.data(), count * model.outputs, f}, out);
}

void relu_block(const NetworkModel& model, ConstView<double> z, HostAlgebra& host,
                View<double> out) {
  const std::size_t neurons = model.neurons();
  if (neurons == 0) return host.fill(out, 0);
  std::vector<double> activations(z.rows * neurons);
  const View<double> hidden(activations.data(), z.rows, neurons);
  host.multiply(1, z, Transpose::no, {model.hidden.data(), neurons, z.cols}, Transpose::yes, 0,
                hidden);
  for (double& value : activations) value = value > 0 ? value : 0;
  host.multiply(1, hidden, Transpose::no, {model.output.data(), model.outputs, neurons},
                Transpose::yes, 0, out);
}

double row_norm(const double* row, std::size_t count) {
  double squares = 0;
  for (std::size_t j = 0; j < count; ++j) squares += row[j] * row[j];
  return std::sqrt(squares);
}

}  // namespace

std::vector<double> predict(const NetworkModel& model, const DataView& data, HostAlgebra& host) {
  const std::size_t f = model.preprocessing.features(), c = model.outputs;
  std::vector<double> predictions(data.rows * c), features(std::min(host_block, data.rows) * f);
  for_each_block(data, model.preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    const View<double> z(features.data(), s.rows, f);
    const View<double> out(predictions.data() + first * c, s.rows, c);
    model.preprocessing.features_of(s, host, z);
    if (model.kind == Model::gated) {
      gated_block(model, s, z, host, out);
    } else {
      relu_block(model, z, host, out);
    }
    for (std::size_t k = 0; k < s.rows; ++k) {
      for (std::size_t o = 0; o < c; ++o) {
        out.row(k)[o] = model.output_scale * out.row(k)[o] + model.output_bias[o];
      }
    }
  });
  return predictions;
}

double penalty(const NetworkModel& model) {
  const std::size_t f = model.preprocessing.features(), c = model.outputs;
  std::map<std::int64_t, double> squares;
  if (model.kind == Model::gated) {
    const std::size_t count = model.gates.count;
    for (std::size_t row = 0; row < c * count; ++row) {
      const std::size_t group = model.grouping == Penalty::gate ? row % count : row;
      const double norm = row_norm(model.weights.data() + row * f, f);
      squares[static_cast<std::int64_t>(group)] += norm * norm;
    }
  } else {
    const std::size_t neurons = model.neurons();
    for (std::size_t j = 0; j < neurons; ++j) {
      double out = 0;
      for (std::size_t o = 0; o < c; ++o) {
        out += model.output[o * neurons + j] * model.output[o * neurons + j];
      }
      const double norm = row_norm(model.hidden.data() + j * f, f);
      const auto group = model.groups.empty() ? static_cast<std::int64_t>(j) : model.groups[j];
      squares[group] += norm * norm * out;
    }
  }
  double sum = 0;
  for (const auto& [group, square] : squares) sum += std::sqrt(square);
  return sum;
}

double objective(const NetworkModel& model, const DataView& data, const std::vector<double>& y,
                 const std::vector<double>& weights, Loss loss, double beta, HostAlgebra& host) {
  const std::size_t c = model.outputs;
  const std::vector<double> predictions = predict(model, data, host);
  double sum = 0, total = 0;
  for (std::size_t k = 0; k < data.rows; ++k) {
    const double weight = weights.empty() ? 1 : weights[k];
    sum += weight * losses::value(loss, predictions.data() + k * c, y.data() + k * c, c);
    total += weight;
  }
  return sum / total + beta * penalty(model);
}

}  // namespace secondorder::convex_relu
