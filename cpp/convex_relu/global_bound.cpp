#include "convex_relu/global_bound.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/dual_bound.hpp"
#include "convex_relu/price_relaxation.hpp"
#include "convex_relu/program.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

double norm(const double* row, std::size_t count) {
  double squares = 0;
  for (std::size_t j = 0; j < count; ++j) squares += row[j] * row[j];
  return std::sqrt(squares);
}

/// The samples in the coordinates of an orthonormal basis Q of their span, and what that costs:
/// for every ‖u‖ ≤ 1 there is ‖u′‖ ≤ `growth` with |zₖᵀu − xₖᵀu′| ≤ lost[k].
struct SpannedSamples {
  std::vector<double> x;  ///< n × rank
  std::vector<double> lost, lengths;
  std::vector<double> basis;  ///< f × rank
  std::size_t rank = 0;
  double growth = 1;

  SpannedSamples(const NetworkModel& model, const DataView& data, HostAlgebra& host) {
    const Preprocessing& preprocessing = model.preprocessing;
    const std::size_t n = data.rows, f = preprocessing.features();
    Rotation rotation = fit_rotation(data, preprocessing, {}, host);
    basis = std::move(rotation.basis);
    rank = rotation.rank();
    const View<double> q(basis.data(), f, rank);
    x.resize(n * rank);
    std::vector<double> storage(std::min(host_block, n) * f);
    for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
      const View<double> z(storage.data(), s.rows, f);
      const View<double> rotated(x.data() + first * rank, s.rows, rank);
      preprocessing.features_of(s, host, z);
      host.multiply(1, z, Transpose::no, q, Transpose::no, 0, rotated);
      for (std::size_t k = 0; k < s.rows; ++k) lengths.push_back(norm(z.row(k), f));
      host.multiply(-1, rotated, Transpose::no, q, Transpose::yes, 1, z);
      for (std::size_t k = 0; k < s.rows; ++k) {
        const double rounding = 4 * static_cast<double>(f + rank) * epsilon;
        lost.push_back(norm(z.row(k), f) + rounding * lengths[first + k]);
      }
    });
    growth = basis_growth(q, host);
  }

 private:
  /// √(1 + ‖QᵀQ − I‖), no less than ‖Q‖.
  static double basis_growth(View<double> q, HostAlgebra& host) {
    std::vector<double> storage(q.cols * q.cols);
    const View<double> gram(storage.data(), q.cols, q.cols);
    host.multiply(1, q, Transpose::yes, q, Transpose::no, 0, gram);
    for (std::size_t i = 0; i < q.cols; ++i) gram.row(i)[i] -= 1;
    const double rounding = 4 * static_cast<double>(q.rows * q.cols) * epsilon;
    return std::sqrt(1 + norm(storage.data(), storage.size()) + rounding);
  }
};

/// The largest price of neurons, for one dual vector.
class LargestPrice {
 public:
  LargestPrice(const SpannedSamples& samples, const GlobalBoundOptions& options, HostAlgebra& host,
               const RunControl* control)
      : samples_(samples), options_(options), host_(host), control_(control) {}

  /// nu: n × outputs; `enough`: no need to know more than that the price is no higher.
  void of(std::span<const double> nu, std::size_t outputs, double enough) {
    const std::size_t n = samples_.lengths.size();
    const UnitSamples unit = unit_samples({samples_.x.data(), n, samples_.rank}, nu, outputs);
    double above = std::numeric_limits<double>::infinity();
    bool found = false;
    if (samples_.rank <= most_cone_rank) {
      GateSearch search;
      search.tolerance = options_.tolerance;
      search.enough = enough;
      search.nodes = options_.nodes;
      search.seconds = options_.seconds;
      search.bytes = options_.bytes;
      const GateMaximum maximum = maximize_gate(unit, search, host_, control_);
      above = maximum.upper;
      below = std::max(below, maximum.lower);
      found = maximum.complete;
      nodes += maximum.nodes;
      peak_bytes = std::max(peak_bytes, maximum.peak_bytes);
      directions.insert(directions.end(), maximum.directions.begin(), maximum.directions.end());
      prices.insert(prices.end(), maximum.prices.begin(), maximum.prices.end());
    }
    if (!found && options_.relaxation_steps > 0) {
      const double relaxed = relaxed_price(unit, options_.relaxation_steps, host_, control_);
      if (!(relaxed >= above)) {
        above = relaxed;
        method = BoundMethod::relaxation;
      }
    }
    complete = complete && found;
    double lost = 0;
    for (std::size_t k = 0; k < n; ++k) lost += samples_.lost[k] * norm(&nu[k * outputs], outputs);
    above = samples_.growth * above + 2 * lost;
    largest = std::sqrt(largest * largest + above * above);
  }

  double largest = 0;  ///< √Σ of the squares of all so far, from above
  double below = 0;
  std::vector<double> directions, prices;
  BoundMethod method = BoundMethod::branch_and_bound;
  bool complete = true;
  std::size_t nodes = 0, peak_bytes = 0;

 private:
  const SpannedSamples& samples_;
  const GlobalBoundOptions& options_;
  HostAlgebra& host_;
  const RunControl* control_;
};

/// The gate of a neuron given in the basis' coordinates: [s, 1]·gate = zᵀ(Q·u).
void append_gate(const Preprocessing& p, const SpannedSamples& samples, const double* u,
                 std::vector<double>& gates) {
  const std::size_t f = p.features(), kept = p.kept(), d = p.raw_features();
  std::vector<double> weights(f);
  for (std::size_t j = 0; j < f; ++j) {
    for (std::size_t i = 0; i < samples.rank; ++i) {
      weights[j] += samples.basis[j * samples.rank + i] * u[i];
    }
  }
  for (std::size_t j = 0; j < d; ++j) {
    double slope = p.components.empty() ? weights[j] : 0;
    for (std::size_t l = 0; l < kept && !p.components.empty(); ++l) {
      slope += weights[l] * p.components[l * d + j];
    }
    gates.push_back(p.feature_scale * slope);
  }
  gates.push_back(p.bias_value != 0 ? weights[kept] * p.bias_value : 0);
}

/// What a price may reach without lowering the bound: τ ≤ 1 for losses whose ν has a limited
/// domain; for the squared loss the τ that is best without any constraint.
double harmless_price(Loss loss, const DualPoint& point, const Certificate& certificate,
                      std::size_t outputs) {
  const double beta = certificate.beta * point.total_weight;
  if (loss != Loss::squared) return beta;
  double squares = 0, product = 0;
  for (std::size_t i = 0; i < point.nu.size(); ++i) {
    const double weight = certificate.weights.empty() ? 1 : certificate.weights[i / outputs];
    if (weight == 0) continue;
    squares += point.nu[i] * point.nu[i] / weight;
    product -= point.nu[i] * point.targets[i];
  }
  return product > 0 ? beta * squares / product : std::numeric_limits<double>::infinity();
}

/// Σ wℓ(0): the sums of ℓ* that a bound consists of are no larger, in absolute values, than twice
/// this.
double loss_at_zero(const DualPoint& point, const Certificate& certificate, std::size_t outputs) {
  const std::vector<double> zero(outputs);
  double sum = 0;
  for (std::size_t k = 0; k < point.nu.size() / outputs; ++k) {
    const double weight = certificate.weights.empty() ? 1 : certificate.weights[k];
    sum +=
        weight * losses::value(certificate.loss, zero.data(), &point.targets[k * outputs], outputs);
  }
  return sum;
}

}  // namespace

GlobalBound global_bound(const NetworkModel& model, const Certificate& certificate,
                         const DataView& data, const std::vector<double>& y, double objective,
                         const GlobalBoundOptions& options, HostAlgebra& host,
                         const RunControl* control) {
  const std::size_t n = data.rows, c = model.outputs;
  const DualPoint point = dual_point(model, certificate, data, y);
  const double beta = certificate.beta * point.total_weight;
  const double enough = harmless_price(certificate.loss, point, certificate, c);
  const SpannedSamples samples(model, data, host);
  LargestPrice price(samples, options, host, control);
  if (c == 1 || model.grouping == Penalty::neuron) {
    price.of(point.nu, c, enough);
  } else {
    std::vector<double> nu(n);
    for (std::size_t o = 0; o < c; ++o) {
      for (std::size_t k = 0; k < n; ++k) nu[k] = point.nu[k * c + o];
      price.of(nu, 1, enough / std::sqrt(static_cast<double>(c)));
    }
  }
  // ν may miss the domain of ℓ* by a few roundings of the weights; prices then move by as much.
  for (std::size_t k = 0; k < n; ++k) {
    const double weight = certificate.weights.empty() ? 1 : certificate.weights[k];
    price.largest += 4 * static_cast<double>(c) * epsilon * weight * samples.lengths[k];
  }

  GlobalBound result;
  const double dual = std::isfinite(price.largest)
                          ? scaled_dual(certificate.loss, point.nu, point.targets,
                                        certificate.weights, c, beta, price.largest)
                          : 0;
  const double rounding =
      8 * static_cast<double>(n * c + 16) * epsilon * loss_at_zero(point, certificate, c);
  // No loss is negative: 0 is a bound always, also where the range of float64 was left.
  const double bound = (dual - rounding) / point.total_weight;
  result.bound = bound > 0 ? bound : 0;
  result.gap = relative_gap(objective, result.bound);
  result.method = price.method;
  result.complete = price.complete;
  result.price_above = price.largest / beta;
  result.price_below = price.below / beta;
  result.nodes = price.nodes;
  result.peak_bytes = price.peak_bytes + global_bound_bytes(n, model.preprocessing.features(), c);
  for (std::size_t i = 0; i < price.prices.size(); ++i) {
    if (!(price.prices[i] > beta)) continue;
    append_gate(model.preprocessing, samples, price.directions.data() + i * samples.rank,
                result.gates);
  }
  return result;
}

std::size_t global_bound_bytes(std::size_t rows, std::size_t features, std::size_t outputs) {
  const std::size_t rank = std::min(rows, features);
  // Samples rotated and of unit length (twice while they are merged), ν, targets and lengths.
  return (rows * (3 * rank + 5 * outputs + 4) + features * rank + host_block * features) *
         sizeof(double);
}

}  // namespace secondorder::convex_relu
