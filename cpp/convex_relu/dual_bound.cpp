#include "convex_relu/dual_bound.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace secondorder::convex_relu {

double scaled_dual(Loss loss, std::span<const double> nu, std::span<const double> y,
                   std::span<const double> weights, std::size_t outputs, double beta,
                   double largest, double* scale) {
  const double most = largest > 0 ? beta / largest : std::numeric_limits<double>::infinity();
  const auto weight = [&](std::size_t k) { return weights.empty() ? 1.0 : weights[k / outputs]; };
  if (loss == Loss::squared) {
    double squares = 0, product = 0;
    for (std::size_t k = 0; k < nu.size(); ++k) {
      if (weight(k) == 0) continue;
      squares += nu[k] * nu[k] / weight(k);
      product += nu[k] * y[k];
    }
    const double tau = squares > 0 ? std::clamp(-product / squares, 0.0, most) : 0;
    if (scale != nullptr) *scale = tau;
    return -tau * (0.5 * tau * squares + product);
  }
  const double tau = std::min(1.0, most);
  if (scale != nullptr) *scale = tau;
  double sum = 0;
  std::vector<double> row(outputs);
  for (std::size_t k = 0; k < nu.size(); k += outputs) {
    if (weight(k) == 0) continue;
    for (std::size_t o = 0; o < outputs; ++o) row[o] = tau * nu[k + o] / weight(k);
    sum += weight(k) * losses::conjugate(loss, row.data(), y.data() + k, outputs);
  }
  return -sum;
}

}  // namespace secondorder::convex_relu
