#include "convex_relu/model_gradient.hpp"

#include <algorithm>

namespace secondorder::convex_relu {

ModelGradient::ModelGradient(const NetworkModel& model, std::size_t most_rows)
    : model_(model),
      features_(model.preprocessing.features()),
      units_(model.kind == Model::gated ? model.gates.count : model.neurons()),
      z_(most_rows * features_),
      hidden_(gated() ? 0 : most_rows * units_),
      outputs_(most_rows * model.outputs),
      along_z_(most_rows * features_),
      back_(hidden_.size()) {
  if (!gated()) return;
  words_.resize(most_rows * GateBits::words_per_row(units_));
  weights_.resize(model.weights.size());  // from output-major to gate-major
  for (std::size_t o = 0; o < model.outputs; ++o) {
    for (std::size_t i = 0; i < units_; ++i) {
      std::copy_n(model.weights.data() + (o * units_ + i) * features_, features_,
                  weights_.data() + (i * model.outputs + o) * features_);
    }
  }
}

ConstView<double> ModelGradient::outputs(ConstView<double> s, HostAlgebra& host) {
  rows_ = s.rows;
  const View<double> z(z_.data(), rows_, features_);
  const View<double> out(outputs_.data(), rows_, model_.outputs);
  model_.preprocessing.features_of(s, host, z);
  if (units_ == 0) {
    host.fill(out, 0);
  } else if (gated()) {
    const GateBits bits{words_.data(), rows_, units_};
    block_patterns(s, model_.gates, host, bits);
    host.gated_forward(z, bits, {weights_.data(), units_ * model_.outputs, features_}, out);
  } else {
    const View<double> hidden(hidden_.data(), rows_, units_);
    host.multiply(1, z, Transpose::no, {model_.hidden.data(), units_, features_}, Transpose::yes, 0,
                  hidden);
    for (std::size_t i = 0; i < hidden.size(); ++i) hidden_[i] = std::max(hidden_[i], 0.0);
    host.multiply(1, hidden, Transpose::no, {model_.output.data(), model_.outputs, units_},
                  Transpose::yes, 0, out);
  }
  for (std::size_t k = 0; k < rows_; ++k) {
    for (std::size_t o = 0; o < model_.outputs; ++o) {
      out.row(k)[o] = model_.output_scale * out.row(k)[o] + model_.output_bias[o];
    }
  }
  return out;
}

void ModelGradient::along_inputs(ConstView<double> slopes, HostAlgebra& host,
                                 View<double> gradient) {
  const Preprocessing& p = model_.preprocessing;
  const View<double> along_z(along_z_.data(), rows_, features_);
  const std::size_t c = model_.outputs;
  if (units_ == 0) {
    host.fill(along_z, 0);
  } else if (gated()) {
    const GateBits bits{words_.data(), rows_, units_};
    host.for_rows(rows_, 2 * units_ * c * features_, [&](std::size_t first, std::size_t last) {
      for (std::size_t k = first; k < last; ++k) {
        std::fill_n(along_z.row(k), features_, 0.0);
        for (std::size_t row = 0; row < units_ * c; ++row) {
          const double slope = slopes.row(k)[row % c];
          if (slope == 0 || !bits.test(k, row / c)) continue;
          const double* weights = weights_.data() + row * features_;
          for (std::size_t l = 0; l < features_; ++l) along_z.row(k)[l] += slope * weights[l];
        }
      }
    });
  } else {
    const View<double> back(back_.data(), rows_, units_);
    host.multiply(1, slopes, Transpose::no, {model_.output.data(), c, units_}, Transpose::no, 0,
                  back);
    for (std::size_t i = 0; i < back.size(); ++i) back_[i] = hidden_[i] > 0 ? back_[i] : 0;
    host.multiply(1, back, Transpose::no, {model_.hidden.data(), units_, features_}, Transpose::no,
                  0, along_z);
  }
  const std::size_t kept = p.kept();
  const double scale = model_.output_scale * p.feature_scale;
  if (p.components.empty()) {
    host.axpby(scale, along_z.columns(0, kept), 0, gradient);
  } else {
    host.multiply(scale, along_z.columns(0, kept), Transpose::no,
                  {p.components.data(), kept, p.raw_features()}, Transpose::no, 0, gradient);
  }
}

}  // namespace secondorder::convex_relu
