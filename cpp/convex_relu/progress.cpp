#include "convex_relu/progress.hpp"

#include <cmath>

#include "base/error.hpp"
#include "convex_relu/certificate.hpp"

namespace secondorder::convex_relu {

Progress make_progress(const Bounds& bounds, double total_weight, std::size_t iteration, double rho,
                       const RunControl& control) {
  Progress p;
  p.iteration = static_cast<double>(iteration);
  p.objective = bounds.objective / total_weight;
  p.dual_bound = bounds.dual / total_weight;
  p.gap = relative_gap(bounds.objective, bounds.dual);
  p.infeasibility = bounds.infeasibility;
  p.rho = rho;
  p.seconds = control.seconds();
  if (!std::isfinite(p.objective) || !std::isfinite(p.dual_bound)) {
    throw Error(ErrorCode::numerical,
                "the iteration left the range of this precision; scale the data or use float64");
  }
  return p;
}

void report(const Progress& p, const RunControl& control) {
  control.report({{"iteration", p.iteration},
                  {"objective", p.objective},
                  {"dualBound", p.dual_bound},
                  {"gap", p.gap},
                  {"infeasibility", p.infeasibility},
                  {"rho", p.rho},
                  {"seconds", p.seconds}});
}

}  // namespace secondorder::convex_relu
