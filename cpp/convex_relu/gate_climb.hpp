// Neurons of locally highest price (unit_samples.hpp), by ascent: quick, and no bound.
#pragma once

#include <span>
#include <vector>

#include "convex_relu/preprocessing.hpp"
#include "convex_relu/unit_samples.hpp"

namespace secondorder::convex_relu {

/// The best so many directions, no two of them close together, the best first.
class BestDirections {
 public:
  BestDirections(std::size_t rank, std::size_t most) : rank_(rank), most_(most) {}

  /// Enters a unit vector, if it is better than all near it and one of the best.
  void offer(std::span<const double> u, double price);

  std::vector<double> directions;  ///< rows of `rank`
  std::vector<double> prices;      ///< descending

 private:
  std::size_t rank_, most_;
};

/// Ascends from the unit vector u towards ∇p(u)/‖∇p(u)‖, the maximiser where u's pattern holds all
/// the way there; returns the price reached. With one output, of sign·p.
double climb(const UnitSamples& samples, std::vector<double>& u, double sign);

/// The best of what climbing from each row of `starts` (unit vectors) leads to, with either sign.
/// The same for any number of threads. Prices are without the samples' scale.
BestDirections climbed_gates(const UnitSamples& samples, std::span<const double> starts,
                             std::size_t most, HostAlgebra& host);

}  // namespace secondorder::convex_relu
