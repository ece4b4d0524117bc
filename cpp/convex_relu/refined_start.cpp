#include "convex_relu/refined_start.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "algebra/philox.hpp"
#include "convex_relu/extract.hpp"
#include "convex_relu/untrained.hpp"
#include "convex_relu/warm_start.hpp"

namespace secondorder::convex_relu {

namespace {

/// Streams of the seed, beside those of the gates and of pricing.
enum Stream : std::uint64_t { size_stream = 18, output_stream = 19 };

/// ρ of the last convex solve starts at this many times β over the median size: its primal values
/// are good from the start, and only its multipliers need to grow.
constexpr double starting_balance = 100;

/// Neurons in the directions of gates, of sizes |N(0, 1)|/√width and outputs of random directions.
Neurons random_neurons(const Gates& gates, const Preprocessing& preprocessing,
                       const Rotation& rotation, const Options& options, std::size_t outputs,
                       HostAlgebra& host) {
  const Philox sizes(options.seed, size_stream), sides(options.seed, output_stream);
  const std::size_t r = rotation.rank(), count = gates.count;
  std::vector<double> u = to_rotated(rotation, gate_weights(gates, preprocessing));
  host.normalize_rows({u.data(), count, r});
  std::vector<double> weights;
  for (std::size_t j = 0; j < count; ++j) {
    const double size =
        std::abs(sizes.normal(j)) / std::sqrt(static_cast<double>(options.refine.width));
    for (std::size_t l = 0; l < r; ++l) weights.push_back(size * u[j * r + l]);
    double squares = 0;
    for (std::size_t o = 0; o < outputs; ++o) {
      weights.push_back(sides.normal(j * outputs + o));
      squares += weights.back() * weights.back();
    }
    for (std::size_t o = 1; o <= outputs; ++o) weights[weights.size() - o] /= std::sqrt(squares);
  }
  return neurons_of(weights, r, outputs);
}

template <class Real>
Neurons first_neurons(const RefinementInput<Real>& in, double beta) {
  const Request& request = in.request;
  if (request.warm_network != nullptr || request.warm_solution != nullptr) {
    check_warm_start(request, in.data, in.preprocessing);
    Neurons warm = starting_neurons(request, in.preprocessing, in.rotation, beta);
    if (warm.count() > 0) return warm;
  }
  Options drawing = request.options;
  if (drawing.gate_source != GateSource::given) {
    drawing.gates = std::max(drawing.gates, Refinement<Real>::start_factor * drawing.refine.width);
  }
  const Gates gates = sample_gates(in.data, in.preprocessing, drawing, in.host);
  return random_neurons(gates, in.preprocessing, in.rotation, drawing, request.outputs, in.host);
}

/// The network of neurons, hidden u/√‖u‖ with output √‖u‖·b, in z-space and rounded to Real as
/// users get it; its gates are the hidden weights, and the neurons those of the rounded network.
template <class Real>
Refined refined_network(const RefinementInput<Real>& in, Neurons neurons) {
  const Request& request = in.request;
  Refined refined;
  NetworkModel& model = refined.network;
  model.grouping = request.options.penalty;
  model.outputs = request.outputs;
  model.preprocessing = in.preprocessing;
  model.output_bias.assign(model.outputs, 0);
  const std::size_t count = neurons.count();
  set_neurons<Real>(to_features(in.rotation, neurons.u), neurons.b, model);
  model.groups.resize(count);
  std::iota(model.groups.begin(), model.groups.end(), 0);
  refined.gates = {convert_neurons(model, in.preprocessing).gates, count};
  refined.neurons = std::move(neurons);
  return refined;
}

}  // namespace

template <class Real>
void refine_network(const RefinementInput<Real>& in, FunctionRef<void()> unwatch,
                    std::optional<Refined>& best) {
  const Options& o = in.request.options;
  const GatedShape shape{in.data.rows, in.rotation.rank(), 0, in.request.outputs, 1};
  const bool weighted = !in.folded.weights.empty();
  Arena counting;
  const Program<Real> planned(shape, weighted, counting);
  Arena arena(in.algebra.allocate(counting.bytes()), counting.bytes());
  Program<Real> program(shape, weighted, arena);
  load_samples(in.data, in.preprocessing, in.rotation, in.folded, in.host, in.algebra, program);
  const double beta = o.beta * in.folded.total_weight / in.rotation.scale;
  Samples<Real> samples{o.loss, beta, 0, program.x, program.y, program.weights};
  const Neurons first = first_neurons(in, beta);
  Refinement<Real> refinement(in.algebra, samples, in.rotation.eigenvalues, o, first.count(),
                              in.memory);
  refinement.allocate();
  std::vector<Round> rounds;
  const auto finish = [&] {
    Neurons neurons = refinement.best(in.host);
    if (neurons.count() == 0) return;
    best = refined_network(in, std::move(neurons));
    if (!rounds.empty()) best->objective = rounds.back().objective;
    best->rounds = std::move(rounds);
    best->bytes = counting.bytes() + refinement.bytes();
  };
  try {
    refinement.run(first, in.host, in.control, [&](const Round& now) {
      rounds.push_back(now);
      rounds.back().objective /= in.folded.total_weight;
      in.control.report({{"round", now.round},  // of the fields of a certificate what is known
                         {"iteration", 0},
                         {"objective", rounds.back().objective},
                         {"pricingRatio", now.pricing_ratio},
                         {"dualBound", 0},
                         {"gap", 1},
                         {"infeasibility", 0},
                         {"rho", 0},
                         {"seconds", now.seconds}});
    });
  } catch (const Cancelled&) {
    unwatch();
    finish();
    throw;
  }
  finish();
}

Result unsolved(const Request& request, const DataView& data, const Targets& targets,
                const Refined& refined, HostAlgebra& host) {
  const std::size_t c = request.outputs;
  const Options& o = request.options;
  Result result = untrained(request, refined.network.preprocessing, refined.gates);
  result.model = refined.network;
  Certificate& certificate = result.certificate;
  certificate.weights = targets.weights;
  certificate.nu = predict(refined.network, data, host);
  std::vector<double> slope(c);
  for (std::size_t k = 0; k < data.rows; ++k) {
    double* row = certificate.nu.data() + k * c;
    losses::value_and_gradient(o.loss, hinge_smoothing, row, targets.y.data() + k * c, c,
                               slope.data());
    const double weight = targets.weights.empty() ? 1 : targets.weights[k];
    for (std::size_t output = 0; output < c; ++output) row[output] = weight * slope[output];
  }
  result.report.verdict = verify(result.model, certificate, data, targets.y, host);
  result.report.rounds = refined.rounds;
  result.report.neurons = result.model.neurons();
  return result;
}

bool choose_network(const Refined& refined, const Verdict& of_refined, double tolerance,
                    const RefineOptions& limits, NetworkModel& model, Verdict& verdict,
                    Status& status) {
  const bool solved = verdict.within(tolerance), good = of_refined.within(tolerance);
  const bool allowed = !limits.keeps_width || model.neurons() <= limits.width;
  const bool better = of_refined.objective < verdict.objective;
  const bool taken = !allowed || better || (good && !solved);
  status = !taken || good ? Status::converged : better ? Status::refined : Status::width_limit;
  if (taken) {
    model = refined.network;
    verdict = of_refined;
  }
  return solved || good;
}

template <class Real>
void start_at(const Refined& refined, std::optional<double> given, ShardedAdmm<Real>& admm) {
  const Program<Real>& program = admm.program();
  const Neurons& neurons = refined.neurons;
  const std::size_t r = neurons.features, c = neurons.outputs;
  std::vector<double> sizes = neurons.sizes();
  std::vector<Real> p(program.shape.parameter_rows() * r);
  std::vector<double> sorted = sizes;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  const double rho = given.value_or(starting_balance * program.beta / median);
  const double threshold = program.beta / rho;
  for (std::size_t j = 0; j < neurons.count(); ++j) {
    for (std::size_t o = 0; o < c; ++o) {
      const double b = neurons.output(j)[o];
      const std::size_t row = j * c + o, opposite = row + program.shape.set_rows();
      Real* own = p.data() + (b < 0 ? opposite : row) * r;
      Real* other = p.data() + (b < 0 ? row : opposite) * r;
      for (std::size_t l = 0; l < r; ++l) {
        const double v = std::abs(b) * neurons.direction(j)[l],
                     multiplier = v * threshold / sizes[j];
        own[l] = static_cast<Real>(v + multiplier);
        other[l] = static_cast<Real>(-multiplier);
      }
    }
  }
  admm.start(rho, admm.tau(), p, {}, {});
}

template <class Real>
double measure_price(const NetworkModel& model, const Certificate& certificate,
                     const Rotation& rotation, const Program<Real>& program, std::uint64_t seed,
                     Algebra<Real>& algebra) {
  const std::size_t count = model.neurons(), r = rotation.rank(), c = model.outputs;
  const Samples<Real> samples{program.loss, program.beta, hinge_smoothing,
                              program.x,    program.y,    program.weights};
  const std::vector<double> u = to_rotated(rotation, model.hidden);
  std::vector<double> weights;
  for (std::size_t j = 0; j < count; ++j) {
    weights.insert(weights.end(), u.data() + j * r, u.data() + (j + 1) * r);
    for (std::size_t o = 0; o < c; ++o) weights.push_back(model.output[o * count + j]);
  }
  struct Layout {
    NetworkObjective<Real> network;
    Pricing<Real> pricing;
    View<Real> point, predictions, nu;
    Layout(Algebra<Real>& on, Arena& arena, const Samples<Real>& all, std::size_t neurons,
           std::uint64_t draws)
        : network(on, arena, all, Pricing<Real>::most_candidates(neurons)),
          pricing(on, arena, all, network, neurons, draws),
          point(arena.matrix<Real>(neurons, all.x.cols + all.y.cols)),
          predictions(arena.matrix<Real>(all.x.rows, all.y.cols)),
          nu(arena.matrix<Real>(all.x.rows, all.y.cols)) {}
  };
  Arena counting;
  const Layout planned(algebra, counting, samples, count, seed);
  Arena arena(algebra.allocate(counting.bytes()), counting.bytes());
  Layout layout(algebra, arena, samples, count, seed);
  const std::vector<Real> rounded(weights.begin(), weights.end());
  algebra.upload(rounded, layout.point);
  layout.network.predict(layout.point, layout.predictions, layout.nu);
  if (program.loss == Loss::hinge) {
    const std::vector<Real> nu(certificate.nu.begin(), certificate.nu.end());
    algebra.upload(nu, layout.nu);
  }
  return layout.pricing(neurons_of(weights, r, c), layout.nu, 1, 0, 0).ratio;
}

template <class Real>
std::size_t refinement_bytes(Algebra<Real>& algebra, const GatedShape& shape, bool weighted,
                             const Options& options, std::size_t available) {
  Arena counting;
  const GatedShape samples_shape{shape.rows, shape.features, 0, shape.outputs, 1};
  const Program<Real> program(samples_shape, weighted, counting);
  const Samples<Real> samples{options.loss, options.beta, 0, program.x, program.y, program.weights};
  const std::size_t starting = Refinement<Real>::start_factor * options.refine.width;
  const std::vector<double> eigenvalues(shape.features, 1);
  const Refinement<Real> refinement(algebra, samples, eigenvalues, options,
                                    std::max(starting, options.gates), available);
  return counting.bytes() + refinement.bytes();
}

#define SECONDORDER_INSTANTIATE(Real)                                                            \
  template void refine_network(const RefinementInput<Real>&, FunctionRef<void()>,                \
                               std::optional<Refined>&);                                         \
  template void start_at(const Refined&, std::optional<double>, ShardedAdmm<Real>&);             \
  template double measure_price(const NetworkModel&, const Certificate&, const Rotation&,        \
                                const Program<Real>&, std::uint64_t, Algebra<Real>&);            \
  template std::size_t refinement_bytes(Algebra<Real>&, const GatedShape&, bool, const Options&, \
                                        std::size_t);
SECONDORDER_INSTANTIATE(float)
SECONDORDER_INSTANTIATE(double)

}  // namespace secondorder::convex_relu
