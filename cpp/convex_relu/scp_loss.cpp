#include "convex_relu/scp_loss.hpp"

#include <algorithm>
#include <cmath>

namespace secondorder::convex_relu {

namespace {

/// Samples whose losses are summed by one thread at a time.
constexpr std::size_t sample_block = 1024;

/// Multiplications that a loss costs, about.
constexpr std::size_t loss_cost = 32;

}  // namespace

/// body(k, work, y) is a sample's part, given room for 2c numbers.
template <class Body>
double ScpLoss::sum_over_samples(Body body) const {
  const std::size_t c = targets_.outputs, n = targets_.y.size() / c;
  std::vector<double> sums((n + sample_block - 1) / sample_block);
  host_.for_rows(
      sums.size(), loss_cost * sample_block * c, [&](std::size_t begin, std::size_t end) {
        std::vector<double> work(2 * c);
        for (std::size_t b = begin; b < end; ++b) {
          for (std::size_t k = b * sample_block; k < std::min(n, (b + 1) * sample_block); ++k) {
            sums[b] += weight(k) * body(k, work.data(), targets_.y.data() + k * c);
          }
        }
      });
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

double ScpLoss::value(ConstView<double> z) const {
  const std::size_t c = targets_.outputs;
  return sum_over_samples([&](std::size_t k, double* row, const double* y) {
    for (std::size_t o = 0; o < c; ++o) row[o] = z.row(o)[k];
    return losses::value(loss_, row, y, c);
  });
}

void ScpLoss::expand(ConstView<double> z, View<double> gradient,
                     std::span<double> curvature) const {
  const std::size_t c = targets_.outputs;
  sum_over_samples([&](std::size_t k, double* row, const double* y) {
    const double w = weight(k);
    double most = 0;
    double* slope = row + c;
    for (std::size_t o = 0; o < c; ++o) row[o] = z.row(o)[k];
    losses::value_and_gradient(loss_, 0, row, y, c, slope);
    for (std::size_t o = 0; o < c; ++o) {
      gradient.row(o)[k] = w * slope[o];
      if (loss_ == Loss::logistic) {
        const double p = std::abs(slope[o]);
        most = std::max(most, p * (1 - p));
      } else if (loss_ == Loss::softmax) {
        // diag(p) − ppᵀ is diagonally dominant: it is no more than twice its diagonal.
        const double p = std::clamp(slope[o] + y[o], 0.0, 1.0);
        most = std::max(most, 2 * p * (1 - p));
      } else {
        most = 1;
      }
    }
    curvature[k] = w * most;
    return 0.0;
  });
}

double ScpLoss::smoothness() const {
  switch (loss_) {
    case Loss::logistic:
      return 0.25;
    case Loss::softmax:
      return 0.5;
    case Loss::squared:
    case Loss::hinge:
      break;
  }
  return 1;
}

}  // namespace secondorder::convex_relu
