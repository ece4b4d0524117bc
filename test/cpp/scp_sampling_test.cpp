// How many hidden vectors the theory asks for, against the scenario formulas.
#include "convex_relu/scp_sampling.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace secondorder::test {
namespace {

using namespace convex_relu;

TEST_CASE("sample counts: the scenario formula, and its inverse") {
  for (const double decisions : {2.0, 101.0, 5001.0}) {
    for (const double psi : {0.01, 0.3}) {
      for (const double xi : {0.001, 0.05, 0.9}) {
        const double count = scp_sample_count(decisions, psi, xi);
        const bool first = count >= decisions / (psi * xi) - 1;
        const bool second = count >= 2 / psi * (decisions - std::log(xi));
        CHECK((first || second));
        const double less = count - 1;
        CHECK_FALSE(less >= decisions / (psi * xi) - 1);
        CHECK_FALSE(less >= 2 / psi * (decisions - std::log(xi)));
        CHECK(scp_violation(decisions, count, xi) <= psi * (1 + 1e-12));
      }
    }
  }
}

/// The scenario theorem's bound is at least what the exact law of fully supported programs asks:
/// P{V > ψ} ≤ Σ_{i<decisions} C(N, i) ψⁱ(1 − ψ)^(N−i) (Campi and Garatti, SIAM J. Optim. 19, 2008).
TEST_CASE("sample counts: no fewer than the exact law asks for") {
  for (const int decisions : {2, 20, 60}) {
    for (const double psi : {0.05, 0.2}) {
      for (const double xi : {0.01, 0.2}) {
        const double n = scp_sample_count(decisions, psi, xi);
        double tail = 0;
        for (int i = 0; i < decisions; ++i) {
          tail += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1) +
                           i * std::log(psi) + (n - i) * std::log1p(-psi));
        }
        CHECK(tail <= xi);
      }
    }
  }
}

TEST_CASE("violation limit: the confidence it claims") {
  CHECK(violation_limit(0, 1000, 0.05) == doctest::Approx(1 - std::pow(0.05, 1e-3)));
  CHECK(violation_limit(10, 10, 0.05) == 1);
  CHECK(violation_limit(3, 1000, 0.05) > violation_limit(2, 1000, 0.05));
}

}  // namespace
}  // namespace secondorder::test
