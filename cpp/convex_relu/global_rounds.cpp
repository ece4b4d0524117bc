#include "convex_relu/global_rounds.hpp"

#include <algorithm>

#include "convex_relu/memory_plan.hpp"

namespace secondorder::convex_relu {

namespace {

/// Automatic bounds: few enough features, and a budget of half a second or so.
constexpr std::size_t automatic_features = 5;
constexpr std::size_t automatic_operations = 1'000'000'000;
constexpr std::size_t automatic_cuts = 10;
constexpr std::size_t automatic_bytes = std::size_t{4} << 20;

std::size_t result_bytes(const Result& r) {
  return (r.model.hidden.size() + r.model.output.size() + r.certificate.nu.size() +
          r.certificate.mu.size() + r.certificate.gates.rows.size() + r.solution.p.size() +
          r.solution.qz.size()) *
             sizeof(double) +
         r.solution.q.size() * sizeof(float);
}

/// Numbers of the gates that the model's neurons belong to, ascending.
std::vector<std::size_t> gates_in_use(const NetworkModel& model, std::size_t gates) {
  const std::size_t divisor = model.grouping == Penalty::neuron ? model.outputs : 1;
  std::vector<std::size_t> used;
  for (const std::int32_t group : model.groups) {
    used.push_back(static_cast<std::size_t>(group) / divisor % gates);
  }
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  return used;
}

GlobalBound bound_of(const Request& request, const Result& result,
                     const GlobalBoundOptions& options, HostAlgebra& host,
                     const RunControl& control) {
  return global_bound(result.model, result.certificate, request.data, request.y,
                      result.report.verdict.objective, options, host, &control);
}

/// Iterations and time of both, the history of one after the other.
void add_costs(const Report& before, Report& report) {
  for (Progress& progress : report.history) {
    progress.iteration += static_cast<double>(before.iterations);
  }
  report.history.insert(report.history.begin(), before.history.begin(), before.history.end());
  report.iterations += before.iterations;
  report.inner_iterations += before.inner_iterations;
  report.peak_bytes = std::max(report.peak_bytes, before.peak_bytes);
  report.global_rounds = before.global_rounds + 1;
}

/// The higher bound of both, relative to the objective.
GlobalBound better(const GlobalBound& a, const GlobalBound& b, double objective) {
  GlobalBound best = a.bound >= b.bound ? a : b;
  best.gap = relative_gap(objective, best.bound);
  best.nodes = a.nodes + b.nodes;
  best.peak_bytes = std::max(a.peak_bytes, b.peak_bytes);
  return best;
}

}  // namespace

GlobalBoundOptions resolved_global_bound(const Options& options, std::size_t rows,
                                         std::size_t features) {
  GlobalBoundOptions bound = options.global_bound;
  if (options.model != Model::relu) bound.when = GlobalBoundWhen::never;
  if (bound.when != GlobalBoundWhen::automatic) return bound;
  bound.when = features <= automatic_features ? GlobalBoundWhen::always : GlobalBoundWhen::never;
  const std::size_t node = 20 * rows * features + 1;  // operations, at most
  bound.nodes = std::clamp<std::size_t>(automatic_operations / node, 200, 20'000);
  bound.bytes = automatic_bytes;
  bound.relaxation_steps = 0;
  bound.cuts = automatic_cuts;
  bound.rounds = 0;
  return bound;
}

Solution with_gates(const Result& result, const std::vector<double>& found, const DataView& data,
                    HostAlgebra& host) {
  const Solution& from = result.solution;
  const std::size_t width = from.gates.width(), old_count = from.gates.count, c = from.outputs;
  const std::vector<std::size_t> used = gates_in_use(result.model, old_count);
  Solution to = from;
  to.gates = {};
  for (const std::size_t gate : used) {
    const auto row = from.gates.rows.begin() + static_cast<std::ptrdiff_t>(gate * width);
    to.gates.rows.insert(to.gates.rows.end(), row, row + static_cast<std::ptrdiff_t>(width));
  }
  to.gates.count = used.size();
  append_gates(data, result.model.preprocessing, found, host, to.gates);

  // Rows of p and columns of q are (set, gate, output).
  const std::size_t f = result.model.preprocessing.features(), count = to.gates.count;
  const std::size_t old_rows = 2 * old_count * c, rows = 2 * count * c;
  to.p.assign(rows * f, 0);
  to.q.assign(from.q.empty() ? 0 : from.rows * rows, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t gate = row / c % count;
    if (gate >= used.size()) continue;
    const std::size_t old = (row < count * c ? 0 : old_count * c) + used[gate] * c + row % c;
    std::copy_n(from.p.begin() + static_cast<std::ptrdiff_t>(old * f), f,
                to.p.begin() + static_cast<std::ptrdiff_t>(row * f));
    for (std::size_t k = 0; k < from.rows && !to.q.empty(); ++k) {
      to.q[k * rows + row] = from.q[k * old_rows + old];
    }
  }
  return to;
}

void bound_globally(const Request& request, const RunControl& control,
                    FunctionRef<Result(const Request&)> solve, Result& result) {
  const GlobalBoundOptions options = resolved_global_bound(request.options, request.data.rows,
                                                           result.model.preprocessing.features());
  const bool stopped =
      result.report.status == Status::aborted || result.report.status == Status::time_limit;
  if (stopped || options.when == GlobalBoundWhen::never) return;
  HostAlgebra host(control.threads);
  host.watch(&control);
  try {
    result.report.global = bound_of(request, result, options, host, control);
    for (std::size_t round = 0; round < options.rounds; ++round) {
      const GlobalBound& bound = *result.report.global;
      if (bound.gap <= request.options.tolerance || bound.gates.empty() || control.out_of_time()) {
        break;
      }
      const Solution start = with_gates(result, bound.gates, request.data, host);
      if (start.gates.count == gates_in_use(result.model, result.solution.gates.count).size()) {
        break;  // all of them are there already
      }
      Request again = request;
      again.warm_solution = &start;
      again.warm_network = nullptr;
      again.options.refine.width = 0;  // over these gates, not others
      Result next = solve(again);
      if (next.report.status == Status::aborted) throw Cancelled{};
      if (next.report.iterations == 0) break;  // no time left
      add_costs(result.report, next.report);
      const GlobalBound renewed = bound_of(request, next, options, host, control);
      const bool improved = next.report.verdict.objective <= result.report.verdict.objective;
      const GlobalBound best = better(
          bound, renewed, std::min(result.report.verdict.objective, next.report.verdict.objective));
      if (improved) {
        result = std::move(next);
      } else {
        result.report.iterations = next.report.iterations;
        result.report.inner_iterations = next.report.inner_iterations;
        result.report.global_rounds = next.report.global_rounds;
      }
      result.report.global = best;
      result.report.global->gates = renewed.gates;
      if (!improved) break;
    }
  } catch (const Cancelled&) {
    result.report.status = Status::aborted;
  }
  if (result.report.global) {
    const std::size_t held = data_bytes(request.data) + result_bytes(result) +
                             (request.y.size() + request.weights.size()) * sizeof(double) +
                             result.report.global->peak_bytes;
    result.report.peak_bytes = std::max(result.report.peak_bytes, held);
  }
  result.report.seconds = control.seconds();
}

}  // namespace secondorder::convex_relu
