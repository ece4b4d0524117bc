#include "convex_relu/scp_measure.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/refined_start.hpp"
#include "convex_relu/scp_sampling.hpp"

namespace secondorder::convex_relu {

namespace {

/// Directions drawn after the program is solved, to measure how many of them it lacks.
constexpr std::size_t tested_directions = 1000;

}  // namespace

SamplingReport assured_sampling(std::size_t decisions, std::size_t count, std::size_t drawn) {
  constexpr double xi = SamplingReport::xi;
  const double variables = static_cast<double>(decisions);
  SamplingReport sampling;
  sampling.directions = count;
  sampling.drawn = drawn;
  sampling.asked = scp_sample_count(variables, xi, xi);
  sampling.psi = drawn > 0 ? scp_violation(variables, static_cast<double>(drawn), xi) : 1;
  if (sampling.psi >= 1) sampling.psi = std::nan("");
  sampling.limit = std::nan("");
  return sampling;
}

void test_directions(const Certificate& certificate, const std::vector<double>& directions,
                     const Targets& targets, const DataView& data,
                     const Preprocessing& preprocessing, HostAlgebra& host,
                     SamplingReport& sampling) {
  const auto prices = [&](const std::vector<double>& of) {
    return direction_prices(of, certificate.nu, targets.outputs, data, preprocessing, host);
  };
  // Against the largest price in the program, or β where that is larger: what τν allows.
  double allowed = certificate.beta * targets.total_weight;
  for (const double price : prices(directions)) allowed = std::max(allowed, price);
  const std::vector<double> found =
      prices(draw_directions(certificate.drawn->seed, certificate.drawn->count, tested_directions,
                             preprocessing.features(), host));
  sampling.tested = tested_directions;
  sampling.violating = static_cast<std::size_t>(
      std::count_if(found.begin(), found.end(), [&](double price) { return price > allowed; }));
  sampling.limit = violation_limit(sampling.violating, sampling.tested, SamplingReport::xi);
}

double greatest_price(const NetworkModel& model, const Certificate& certificate,
                      const Targets& targets, const DataView& data, std::uint64_t seed,
                      HostAlgebra& host) {
  const Targets folded = targets.folded(certificate.loss);
  const Rotation rotation = fit_rotation(data, model.preprocessing, folded.row_scale, host);
  const GatedShape shape{data.rows, rotation.rank(), 0, targets.outputs, 1};
  const bool weighted = !folded.weights.empty();
  Arena counting;
  const Program<double> planned(shape, weighted, counting);
  Arena arena(host.allocate(counting.bytes()), counting.bytes());
  Program<double> program(shape, weighted, arena);
  program.loss = certificate.loss;
  program.beta = certificate.beta * targets.total_weight / rotation.scale;
  load_samples(data, model.preprocessing, rotation, folded, host, host, program);
  return measure_price(model, certificate, rotation, program, seed, host);
}

}  // namespace secondorder::convex_relu
