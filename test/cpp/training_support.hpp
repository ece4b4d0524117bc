// Small training problems with given gates, and the same problems as the reference solver takes
// them.
#pragma once

#include <set>

#include "convex_relu/train.hpp"
#include "reference_cone_program.hpp"
#include "test_support.hpp"

namespace secondorder::test {

/// Dense float64 data with targets, weights and gate directions (P × d, no bias), which are drawn
/// as the options say where there are none.
struct Problem {
  std::size_t rows = 0, cols = 0, outputs = 1;
  std::vector<double> x, y, weights, gates;
  convex_relu::Options options;

  DataView data() const {
    DataView view;
    view.values64 = x;
    view.rows = rows;
    view.cols = cols;
    return view;
  }
  convex_relu::Request request() const {
    convex_relu::Request request;
    request.data = data();
    request.y = y;
    request.outputs = outputs;
    request.weights = weights;
    request.options = options;
    if (gates.empty()) return request;
    request.options.gate_source = convex_relu::GateSource::given;
    request.options.gates = gates.size() / cols;
    request.options.given_gates = gates;
    request.options.given_columns = cols;
    return request;
  }
  double weight(std::size_t k) const { return weights.empty() ? 1 : weights[k]; }
  double total_weight() const {
    double total = weights.empty() ? static_cast<double>(rows) : 0;
    for (const double weight : weights) total += weight;
    return total;
  }
};

struct ProblemShape {
  std::size_t rows = 20, cols = 3, gates = 6, outputs = 1;
};

/// Gaussian data; targets with something to learn. Tight options: float64 to 1e-8, no
/// preprocessing.
inline Problem random_training_problem(convex_relu::Model model, Loss loss, ProblemShape shape,
                                       std::uint64_t seed) {
  Random random(seed);
  Problem p;
  p.rows = shape.rows;
  p.cols = shape.cols;
  p.outputs = shape.outputs;
  for (std::size_t i = 0; i < p.rows * p.cols; ++i) p.x.push_back(random.normal());
  for (std::size_t i = 0; i < shape.gates * p.cols; ++i) p.gates.push_back(random.normal());
  p.y.assign(p.rows * p.outputs, 0);
  for (std::size_t k = 0; k < p.rows; ++k) {
    if (loss == Loss::softmax) {
      p.y[k * p.outputs + random.below(p.outputs)] = 1;
      continue;
    }
    for (std::size_t o = 0; o < p.outputs; ++o) {
      const double value = std::abs(p.x[k * p.cols]) - 0.5 + 0.5 * random.normal();
      p.y[k * p.outputs + o] = loss == Loss::squared ? value : (value > 0 ? 1 : -1);
    }
  }
  p.options.model = model;
  p.options.loss = loss;
  p.options.beta = 0.02;
  p.options.preprocess = convex_relu::Preprocess::none;
  p.options.bias = false;
  p.options.tolerance = 1e-8;
  p.options.max_iterations = 200000;  // hinge losses inside cones are slow in their last digits
  return p;
}

/// The reference's form: loss summed instead of averaged, each pattern that is open somewhere once.
/// Samples of weight 0 are left out, as training leaves them out.
inline reference::ReferenceProblem as_reference(const Problem& p) {
  reference::ReferenceProblem r;
  const bool relu = p.options.model == convex_relu::Model::relu;
  r.model = relu ? reference::ReferenceModel::cone : reference::ReferenceModel::gated;
  r.loss = p.options.loss;
  r.penalty = p.options.penalty == convex_relu::Penalty::gate ? reference::ReferencePenalty::gate
                                                              : reference::ReferencePenalty::neuron;
  r.features = p.cols;
  r.outputs = p.outputs;
  r.beta = p.options.beta * p.total_weight();
  std::vector<std::size_t> rows;
  for (std::size_t k = 0; k < p.rows; ++k) {
    if (p.weights.empty() || p.weights[k] > 0) rows.push_back(k);
  }
  r.samples = rows.size();
  const auto append = [](std::vector<double>& to, const std::vector<double>& from, std::size_t row,
                         std::size_t width) {
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(row * width);
    to.insert(to.end(), first, first + static_cast<std::ptrdiff_t>(width));
  };
  std::set<std::vector<double>> patterns;
  for (std::size_t i = 0; i < p.gates.size() / p.cols; ++i) {
    std::vector<double> pattern;
    for (const std::size_t k : rows) {
      double value = 0;
      for (std::size_t j = 0; j < p.cols; ++j)
        value += p.x[k * p.cols + j] * p.gates[i * p.cols + j];
      pattern.push_back(value >= 0 ? 1 : 0);
    }
    if (std::count(pattern.begin(), pattern.end(), 1) > 0) patterns.insert(pattern);
  }
  r.gates = patterns.size();
  for (std::size_t l = 0; l < rows.size(); ++l) {
    append(r.x, p.x, rows[l], p.cols);
    append(r.y, p.y, rows[l], p.outputs);
    for (const auto& pattern : patterns) r.mask.push_back(pattern[l]);
    if (!p.weights.empty()) r.sample_weights.push_back(p.weights[rows[l]]);
  }
  return r;
}

}  // namespace secondorder::test
