#include "convex_relu/gate_climb.hpp"

#include <algorithm>
#include <cmath>

namespace secondorder::convex_relu {

namespace {

/// Directions closer than this count as one.
constexpr double same_direction_cosine = 0.9995;

constexpr int most_steps = 30;
constexpr int most_halvings = 6;

double dot(const double* a, const double* b, std::size_t count) {
  double sum = 0;
  for (std::size_t j = 0; j < count; ++j) sum += a[j] * b[j];
  return sum;
}

/// False for the zero vector.
bool normalize(std::vector<double>& u) {
  const double length = std::sqrt(dot(u.data(), u.data(), u.size()));
  for (double& entry : u) entry /= length;
  return length > 0;
}

}  // namespace

void BestDirections::offer(std::span<const double> u, double price) {
  for (std::size_t i = 0; i < prices.size(); ++i) {
    const double* row = directions.data() + i * rank_;
    if (dot(row, u.data(), rank_) < same_direction_cosine) continue;
    if (prices[i] >= price) return;
    prices.erase(prices.begin() + static_cast<std::ptrdiff_t>(i));
    const auto at = directions.begin() + static_cast<std::ptrdiff_t>(i * rank_);
    directions.erase(at, at + static_cast<std::ptrdiff_t>(rank_));
    break;
  }
  const auto place = std::partition_point(prices.begin(), prices.end(),
                                          [price](double other) { return other >= price; });
  const auto index = place - prices.begin();
  if (static_cast<std::size_t>(index) >= most_) return;
  prices.insert(place, price);
  directions.insert(directions.begin() + index * static_cast<std::ptrdiff_t>(rank_), u.begin(),
                    u.end());
  if (prices.size() <= most_) return;
  prices.pop_back();
  directions.resize(prices.size() * rank_);
}

double climb(const UnitSamples& samples, std::vector<double>& u, double sign) {
  std::vector<double> uphill(samples.rank), next(samples.rank);
  double price = samples.price(u, sign);
  for (int step = 0; step < most_steps; ++step) {
    samples.gradient(u, sign, uphill);
    if (!normalize(uphill)) break;
    double length = 1, reached = price;
    for (int halving = 0; halving < most_halvings && !(reached > price); ++halving) {
      for (std::size_t j = 0; j < samples.rank; ++j) {
        next[j] = (1 - length) * u[j] + length * uphill[j];
      }
      if (normalize(next)) reached = samples.price(next, sign);
      length *= 0.5;
    }
    if (!(reached > price)) break;
    const bool settled = reached <= price * (1 + 1e-9);
    price = reached;
    u = next;
    if (settled) break;
  }
  return price;
}

BestDirections climbed_gates(const UnitSamples& samples, std::span<const double> starts,
                             std::size_t most, HostAlgebra& host) {
  const std::size_t r = samples.rank, count = starts.size() / r;
  const std::size_t signs = samples.outputs == 1 ? 2 : 1;
  std::vector<std::vector<double>> ends(signs * count);
  std::vector<double> prices(signs * count);
  host.for_blocks(signs * count, 4, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const auto start = starts.subspan(i / signs * r, r);
      ends[i].assign(start.begin(), start.end());
      prices[i] = climb(samples, ends[i], i % signs == 0 ? 1 : -1);
    }
  });
  BestDirections best(r, most);
  for (std::size_t i = 0; i < ends.size(); ++i) best.offer(ends[i], prices[i]);
  return best;
}

}  // namespace secondorder::convex_relu
