#include "mfac/removal.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "base/finite.hpp"

namespace secondorder::mfac {

namespace {

void check_weights(std::span<const float> weights, std::size_t dimension) {
  if (weights.size() != dimension) {
    throw Error(ErrorCode::dimension_mismatch,
                "weights must have " + std::to_string(dimension) + " numbers, got " +
                    std::to_string(weights.size()),
                "weights");
  }
  const auto bad = std::find_if(weights.begin(), weights.end(),
                                [](float value) { return !std::isfinite(value); });
  if (bad == weights.end()) return;
  throw Error(ErrorCode::invalid_argument,
              "weights[" + std::to_string(bad - weights.begin()) + "] is " +
                  (std::isnan(*bad) ? "NaN" : "infinite"),
              "weights");
}

/// The indices in ascending order.
std::vector<std::uint32_t> sorted(std::span<const std::uint32_t> remove, std::size_t dimension) {
  std::vector<std::uint32_t> positions(remove.begin(), remove.end());
  if (!std::is_sorted(positions.begin(), positions.end())) {
    std::sort(positions.begin(), positions.end());
  }
  if (!positions.empty() && positions.back() >= dimension) {
    throw Error(ErrorCode::invalid_argument,
                "remove holds " + std::to_string(positions.back()) + ", but there are only " +
                    std::to_string(dimension) + " weights",
                "remove");
  }
  const auto twice = std::adjacent_find(positions.begin(), positions.end());
  if (twice != positions.end()) {
    throw Error(ErrorCode::invalid_argument, "remove holds " + std::to_string(*twice) + " twice",
                "remove");
  }
  return positions;
}

}  // namespace

Removal remove_weights(FisherBlocks& blocks, std::span<const float> weights,
                       std::span<const std::uint32_t> remove, bool joint,
                       const RunControl& control) {
  static_cast<void>(blocks.diagonal());  // ERR_NOT_FITTED comes before complaints about arguments
  check_weights(weights, blocks.dimension());
  const std::vector<std::uint32_t> positions = sorted(remove, blocks.dimension());
  std::vector<double> values(positions.size());
  std::transform(positions.begin(), positions.end(), values.begin(),
                 [&](std::uint32_t q) { return weights[q]; });
  std::vector<double> delta(blocks.dimension(), 0.0);
  Removal removal;
  removal.loss_increase = blocks.remove(positions, values, joint, delta, control);
  removal.weights.resize(weights.size());
  std::transform(weights.begin(), weights.end(), delta.begin(), removal.weights.begin(),
                 [](float w, double change) { return static_cast<float>(w + change); });
  for (const std::uint32_t q : positions) removal.weights[q] = 0;
  if (!all_finite(std::span<const float>(removal.weights))) {
    throw Error(ErrorCode::numerical,
                "the weights have entries beyond the range of float32: damping is too small");
  }
  return removal;
}

}  // namespace secondorder::mfac
