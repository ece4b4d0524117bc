#include "convex_relu/scp_plan.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "convex_relu/memory_plan.hpp"
#include "convex_relu/pricing.hpp"
#include "convex_relu/scp.hpp"

namespace secondorder::convex_relu {

namespace {

void refuse(bool condition, const char* argument, const char* what) {
  if (!condition) return;
  throw Error(ErrorCode::invalid_argument,
              std::string(argument) + ": the sampled convex program " + what, argument);
}

}  // namespace

void check_sampled(const Request& request) {
  const Options& o = request.options;
  refuse(o.model != Model::relu, "model", "has a ReLU model only");
  refuse(o.penalty != Penalty::gate && request.outputs > 1, "penalty",
         "has one norm for all outputs of a hidden vector, \"gate\"");
  refuse(o.loss == Loss::hinge && request.outputs > 1, "loss",
         "has the hinge for one output only; \"logistic\" and \"softmax\" take several");
  refuse(o.refine.width > 0, "refine", "keeps the hidden vectors it was given");
}

template <class Real>
std::size_t sampled_bytes(std::size_t n, std::size_t d, std::size_t c, std::size_t m,
                          const Options& o) {
  const std::size_t f = (o.components > 0 ? std::min(o.components, d) : d) + (o.bias ? 1 : 0);
  const std::size_t held = std::min(m, most_working_columns);
  const std::size_t activations = m * activation_block + std::min(n, host_block) * (d + 2 * f);
  const std::size_t kept = n * (6 * c + 2) + 3 * m * f + m * (d + 1) + m * c;
  const std::size_t verifying = std::min(n, host_block) * held;  // activations of the network
  const std::size_t solving = 2 * held * held + held * (activation_block + 20 * c) +
                              n * (12 * c + 2) + m * (8 * c + 8) + verifying;
  const std::size_t pricing = n * (f + 4 * c) + 3 * f * f +
                              2 * activation_rows * (held + Pricing<double>::fresh_starts) +
                              6 * held * f + n * held / 32;
  const std::size_t columns = m * n * sizeof(Real);
  return (kept + activations) * sizeof(double) +
         std::max(columns + solving * sizeof(double), pricing * sizeof(double));
}

template <class Real>
MemoryEstimate estimate_sampled_memory(std::size_t rows, std::size_t cols, std::size_t outputs,
                                       const Options& options) {
  const std::size_t inputs = rows * (cols + outputs) * sizeof(double);
  return {.bytes = inputs + sampled_bytes<Real>(rows, cols, outputs, options.gates, options),
          .route = sampled_route,
          .device = "cpu"};
}

template std::size_t sampled_bytes<float>(std::size_t, std::size_t, std::size_t, std::size_t,
                                          const Options&);
template std::size_t sampled_bytes<double>(std::size_t, std::size_t, std::size_t, std::size_t,
                                           const Options&);
template MemoryEstimate estimate_sampled_memory<float>(std::size_t, std::size_t, std::size_t,
                                                       const Options&);
template MemoryEstimate estimate_sampled_memory<double>(std::size_t, std::size_t, std::size_t,
                                                        const Options&);

}  // namespace secondorder::convex_relu
