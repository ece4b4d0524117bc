#include "convex_relu/scp_sampling.hpp"

#include <algorithm>
#include <cmath>

namespace secondorder::convex_relu {

namespace {

/// P{ at most `found` of `tested` } where each has probability p.
double binomial_tail(std::size_t found, std::size_t tested, double p) {
  const double n = static_cast<double>(tested);
  double sum = 0;
  for (std::size_t i = 0; i <= found; ++i) {
    const double k = static_cast<double>(i);
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                    k * std::log(p) + (n - k) * std::log1p(-p));
  }
  return sum;
}

}  // namespace

double scp_sample_count(double decisions, double psi, double xi) {
  const double first = decisions / (psi * xi) - 1;
  const double second = 2 / psi * (decisions - std::log(xi));
  return std::ceil(std::min(first, second));
}

double scp_violation(double decisions, double count, double xi) {
  const double first = decisions / (xi * (count + 1));
  const double second = 2 / count * (decisions - std::log(xi));
  return std::min(first, second);
}

double violation_limit(std::size_t found, std::size_t tested, double xi) {
  if (found >= tested) return 1;
  double low = 0, high = 1;
  for (int step = 0; step < 60; ++step) {  // the tail falls with p
    const double p = 0.5 * (low + high);
    (binomial_tail(found, tested, p) > xi ? low : high) = p;
  }
  return high;
}

}  // namespace secondorder::convex_relu
