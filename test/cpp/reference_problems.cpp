#include "reference_problems.hpp"

#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

namespace secondorder::reference {

ReferenceProblem random_problem(ReferenceModel model, Loss loss, Shape shape, std::uint32_t seed,
                                double beta) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> gaussian;
  ReferenceProblem p;
  p.model = model;
  p.loss = loss;
  p.beta = beta;
  p.samples = shape.samples;
  p.features = shape.features;
  p.outputs = shape.outputs;
  p.x.resize(p.samples * p.features);
  for (double& value : p.x) value = gaussian(generator);
  std::set<std::vector<double>> patterns;
  for (std::size_t i = 0; i < shape.gates; ++i) {
    std::vector<double> gate(p.features), pattern(p.samples);
    for (double& value : gate) value = gaussian(generator);
    for (std::size_t k = 0; k < p.samples; ++k) {
      const auto row = p.x.begin() + static_cast<std::ptrdiff_t>(k * p.features);
      pattern[k] = std::inner_product(gate.begin(), gate.end(), row, 0.0) >= 0 ? 1 : 0;
    }
    patterns.insert(pattern);
  }
  p.gates = patterns.size();
  for (std::size_t k = 0; k < p.samples; ++k) {
    for (const auto& pattern : patterns) p.mask.push_back(pattern[k]);
  }
  p.y.assign(p.samples * p.outputs, 0);
  for (std::size_t k = 0; k < p.samples; ++k) {
    if (loss == Loss::softmax) {
      p.y[k * p.outputs + generator() % p.outputs] = 1;
      continue;
    }
    for (std::size_t j = 0; j < p.outputs; ++j) {
      const double target = gaussian(generator) + std::abs(p.x[k * p.features]);
      p.y[k * p.outputs + j] = loss == Loss::squared ? target : (target > 0.5 ? 1 : -1);
    }
  }
  return p;
}

}  // namespace secondorder::reference
