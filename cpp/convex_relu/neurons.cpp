#include "convex_relu/neurons.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace secondorder::convex_relu {

namespace {

/// Neurons smaller than this part of the largest are rounding.
constexpr double negligible = 1e-6;
/// Outputs whose cosine is within this of 1 are the same.
constexpr double same_output = 1e-9;

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double norm(std::span<const double> a) { return std::sqrt(dot(a, a)); }

}  // namespace

void Neurons::append(std::span<const double> direction, std::span<const double> output) {
  u.insert(u.end(), direction.begin(), direction.end());
  b.insert(b.end(), output.begin(), output.end());
}

void Neurons::append(const Neurons& more) { append(more.u, more.b); }

Neurons Neurons::select(std::span<const std::size_t> which) const {
  Neurons selected{features, outputs, {}, {}};
  for (const std::size_t j : which) selected.append(direction(j), output(j));
  return selected;
}

std::vector<double> Neurons::sizes() const {
  std::vector<double> sizes(count());
  for (std::size_t j = 0; j < sizes.size(); ++j) sizes[j] = norm(direction(j));
  return sizes;
}

Neurons neurons_of(std::span<const double> weights, std::size_t features, std::size_t outputs) {
  const std::size_t width = features + outputs;
  Neurons neurons{features, outputs, {}, {}};
  for (std::size_t first = 0; first < weights.size(); first += width) {
    const auto w = weights.subspan(first, features), a = weights.subspan(first + features, outputs);
    const double size = norm(a);
    if (!(size > 0 && norm(w) > 0)) continue;
    for (const double value : w) neurons.u.push_back(value * size);
    for (const double value : a) neurons.b.push_back(value / size);
  }
  return neurons;
}

std::vector<double> balanced_weights(const Neurons& neurons) {
  std::vector<double> weights;
  weights.reserve(neurons.u.size() + neurons.b.size());
  for (std::size_t j = 0; j < neurons.count(); ++j) {
    const double root = std::sqrt(norm(neurons.direction(j)));
    for (const double value : neurons.direction(j)) weights.push_back(root > 0 ? value / root : 0);
    for (const double value : neurons.output(j)) weights.push_back(value * root);
  }
  return weights;
}

Neurons by_size(const Neurons& neurons) {
  const std::vector<double> sizes = neurons.sizes();
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return sizes[i] > sizes[j]; });
  while (!order.empty() && !(sizes[order.back()] > negligible * sizes[order.front()])) {
    order.pop_back();
  }
  return neurons.select(order);
}

Neurons merge_equal(const Neurons& neurons, std::span<const std::uint64_t> patterns) {
  Neurons merged{neurons.features, neurons.outputs, {}, {}};
  std::multimap<std::uint64_t, std::size_t> places;
  for (std::size_t j = 0; j < neurons.count(); ++j) {
    if (patterns[j] == 0) continue;
    const auto [first, last] = places.equal_range(patterns[j]);
    const auto same = std::find_if(first, last, [&](const auto& entry) {
      return dot(merged.output(entry.second), neurons.output(j)) > 1 - same_output;
    });
    if (same == last) {
      places.emplace(patterns[j], merged.count());
      merged.append(neurons.direction(j), neurons.output(j));
      continue;
    }
    double* sum = merged.u.data() + same->second * merged.features;
    for (const double value : neurons.direction(j)) *sum++ += value;
  }
  return merged;
}

Neurons fold(const Neurons& neurons, std::size_t width, CpuAlgebra<double>& host) {
  const std::size_t count = neurons.count(), features = neurons.features;
  if (count <= width) return neurons;
  const std::size_t rest = count - width, outputs = neurons.outputs;
  std::vector<double> units = neurons.u;
  host.normalize_rows({units.data(), count, features});
  std::vector<double> cosines(rest * width), output_cosines(rest * width);
  host.multiply(1, {units.data() + width * features, rest, features}, Transpose::no,
                {units.data(), width, features}, Transpose::yes, 0, {cosines.data(), rest, width});
  host.multiply(1, {neurons.b.data() + width * outputs, rest, outputs}, Transpose::no,
                {neurons.b.data(), width, outputs}, Transpose::yes, 0,
                {output_cosines.data(), rest, width});
  std::vector<std::size_t> kept(width);
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  Neurons folded = neurons.select(kept);
  for (std::size_t j = 0; j < rest; ++j) {
    const double *cosine = cosines.data() + j * width, *side = output_cosines.data() + j * width;
    double best = -1;
    std::size_t place = width;
    for (std::size_t i = 0; i < width; ++i) {
      if (side[i] <= 0 || cosine[i] * side[i] <= best) continue;
      best = cosine[i] * side[i];
      place = i;
    }
    if (place == width) continue;
    double* sum = folded.u.data() + place * features;
    for (const double value : neurons.direction(width + j)) *sum++ += side[place] * value;
  }
  return folded;
}

}  // namespace secondorder::convex_relu
