#include "convex_relu/unit_samples.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace secondorder::convex_relu {

namespace {

double largest(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

/// ‖values‖₂ without overflow or underflow on the way.
double norm(std::span<const double> values) {
  const double most = largest(values);
  if (!(most > 0) || std::isinf(most)) return most;
  double squares = 0;
  for (const double value : values) squares += (value / most) * (value / most);
  return most * std::sqrt(squares);
}

/// Writes values/‖values‖, whose length is 1 within a few roundings at any scale.
void normalize(std::span<const double> values, double* out) {
  const double most = largest(values);
  double squares = 0;
  for (std::size_t j = 0; j < values.size(); ++j) {
    out[j] = values[j] / most;
    squares += out[j] * out[j];
  }
  const double length = std::sqrt(squares);
  for (std::size_t j = 0; j < values.size(); ++j) out[j] /= length;
}

/// Sums up the weights of rows that are equal.
void merge_equal_directions(UnitSamples& s) {
  const std::size_t r = s.rank, c = s.outputs;
  std::vector<std::size_t> order(s.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto compare = [&](std::size_t a, std::size_t b) {
    return std::lexicographical_compare(s.row(a), s.row(a) + r, s.row(b), s.row(b) + r);
  };
  std::stable_sort(order.begin(), order.end(), compare);
  UnitSamples merged;
  merged.rank = r;
  merged.outputs = c;
  merged.scale = s.scale;
  for (const std::size_t k : order) {
    const bool same = !merged.weights.empty() &&
                      std::equal(s.row(k), s.row(k) + r, merged.x.data() + merged.x.size() - r);
    if (!same) {
      merged.x.insert(merged.x.end(), s.row(k), s.row(k) + r);
      merged.weights.resize(merged.weights.size() + c);
    }
    double* last = merged.weights.data() + merged.weights.size() - c;
    for (std::size_t o = 0; o < c; ++o) last[o] += s.weights_of(k)[o];
  }
  s = std::move(merged);
}

double dot(const double* a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t j = 0; j < b.size(); ++j) sum += a[j] * b[j];
  return sum;
}

}  // namespace

UnitSamples unit_samples(ConstView<double> x, std::span<const double> nu, std::size_t outputs) {
  UnitSamples s;
  s.rank = x.cols;
  s.outputs = outputs;
  std::vector<double> lengths(x.rows), duals(x.rows);
  for (std::size_t k = 0; k < x.rows; ++k) {
    lengths[k] = norm({x.row(k), x.cols});
    duals[k] = norm(nu.subspan(k * outputs, outputs));
    s.scale += lengths[k] * duals[k];
  }
  if (!(s.scale > 0) || std::isinf(s.scale)) return s;
  for (std::size_t k = 0; k < x.rows; ++k) {
    if (!(lengths[k] > 0 && duals[k] > 0)) continue;
    s.x.resize(s.x.size() + x.cols);
    normalize({x.row(k), x.cols}, s.x.data() + s.x.size() - x.cols);
    for (std::size_t o = 0; o < outputs; ++o) {
      s.weights.push_back(nu[k * outputs + o] * (lengths[k] / s.scale));
    }
  }
  merge_equal_directions(s);
  return s;
}

double UnitSamples::price(std::span<const double> u, double sign) const {
  std::vector<double> prices(outputs);
  for (std::size_t k = 0; k < rows(); ++k) {
    const double active = dot(row(k), u);
    if (!(active > 0)) continue;
    for (std::size_t o = 0; o < outputs; ++o) prices[o] += weights_of(k)[o] * active;
  }
  return outputs == 1 ? sign * prices[0] : norm(prices);
}

void UnitSamples::gradient(std::span<const double> u, double sign, std::span<double> out) const {
  std::vector<double> prices(outputs), slopes(outputs * rank);
  for (std::size_t k = 0; k < rows(); ++k) {
    const double active = dot(row(k), u);
    if (!(active > 0)) continue;
    for (std::size_t o = 0; o < outputs; ++o) {
      prices[o] += weights_of(k)[o] * active;
      for (std::size_t j = 0; j < rank; ++j) slopes[o * rank + j] += weights_of(k)[o] * row(k)[j];
    }
  }
  const double length = outputs == 1 ? 1 : norm(prices);
  std::fill(out.begin(), out.end(), 0);
  for (std::size_t o = 0; o < outputs && length > 0; ++o) {
    const double share = outputs == 1 ? sign : prices[o] / length;
    for (std::size_t j = 0; j < rank; ++j) out[j] += share * slopes[o * rank + j];
  }
}

}  // namespace secondorder::convex_relu
