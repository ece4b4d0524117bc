#include "convex_relu/largest_price.hpp"

#include <algorithm>
#include <cmath>

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

/// √(1 + ‖QᵀQ − I‖), no less than ‖Q‖.
double basis_growth(View<double> q, HostAlgebra& host) {
  std::vector<double> storage(q.cols * q.cols);
  const View<double> gram(storage.data(), q.cols, q.cols);
  host.multiply(1, q, Transpose::yes, q, Transpose::no, 0, gram);
  for (std::size_t i = 0; i < q.cols; ++i) gram.row(i)[i] -= 1;
  const double rounding = 4 * static_cast<double>(q.rows * q.cols) * epsilon;
  return std::sqrt(1 + norm(storage.data(), storage.size()) + rounding);
}

/// Adds the largest price at one dual vector to the result, in the sense of √Σ of squares.
void add_price(const SpannedSamples& samples, std::span<const double> nu, std::size_t outputs,
               double enough, const PriceBudget& budget, HostAlgebra& host,
               const RunControl* control, LargestPrice& result) {
  const std::size_t n = samples.rows();
  const UnitSamples unit = unit_samples({samples.x.data(), n, samples.rank}, nu, outputs);
  double above = std::numeric_limits<double>::infinity();
  bool found = false;
  if (samples.rank <= most_cone_rank) {
    GateSearch search;
    search.tolerance = budget.tolerance;
    search.enough = enough;
    search.nodes = budget.nodes;
    search.seconds = budget.seconds;
    search.bytes = budget.bytes;
    const GateMaximum maximum = maximize_gate(unit, search, host, control);
    above = maximum.upper;
    found = maximum.complete;
    result.below = std::max(result.below, maximum.lower);
    result.nodes += maximum.nodes;
    result.peak_bytes = std::max(result.peak_bytes, maximum.peak_bytes);
    result.directions.insert(result.directions.end(), maximum.directions.begin(),
                             maximum.directions.end());
    result.prices.insert(result.prices.end(), maximum.prices.begin(), maximum.prices.end());
  }
  if (!found && budget.relaxation_steps > 0) {
    const double relaxed = relaxed_price(unit, budget.relaxation_steps, host, control);
    if (!(relaxed >= above)) {
      above = relaxed;
      result.method = BoundMethod::relaxation;
    }
  }
  result.complete = result.complete && found;
  double lost = 0;
  for (std::size_t k = 0; k < n; ++k) lost += samples.lost[k] * norm(&nu[k * outputs], outputs);
  above = samples.growth * above + 2 * lost;
  result.above = std::sqrt(result.above * result.above + above * above);
}

}  // namespace

SpannedSamples::SpannedSamples(const Preprocessing& preprocessing, const DataView& data,
                               HostAlgebra& host) {
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

std::vector<double> SpannedSamples::activations(const double* u) const {
  std::vector<double> active(rows());
  for (std::size_t k = 0; k < rows(); ++k) {
    double sum = 0;
    for (std::size_t j = 0; j < rank; ++j) sum += x[k * rank + j] * u[j];
    active[k] = std::max(sum, 0.0);
  }
  return active;
}

std::vector<double> SpannedSamples::direction(const double* v) const {
  const std::size_t f = basis.size() / rank;
  std::vector<double> u(rank);
  for (std::size_t j = 0; j < f; ++j) {
    for (std::size_t i = 0; i < rank; ++i) u[i] += basis[j * rank + i] * v[j];
  }
  const double length = norm(u.data(), rank);
  for (double& entry : u) entry = length > 0 ? entry / length : 0;
  return u;
}

void SpannedSamples::append_gate(const Preprocessing& p, const double* u,
                                 std::vector<double>& gates) const {
  const std::size_t f = p.features(), kept = p.kept(), d = p.raw_features();
  std::vector<double> weights(f);
  for (std::size_t j = 0; j < f; ++j) {
    for (std::size_t i = 0; i < rank; ++i) weights[j] += basis[j * rank + i] * u[i];
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

LargestPrice largest_price(const SpannedSamples& samples, std::span<const double> nu,
                           std::size_t outputs, bool joint, double enough,
                           const PriceBudget& budget, HostAlgebra& host,
                           const RunControl* control) {
  LargestPrice result;
  if (joint || outputs == 1) {
    add_price(samples, nu, outputs, enough, budget, host, control, result);
    return result;
  }
  const double share = enough / std::sqrt(static_cast<double>(outputs));
  std::vector<double> column(samples.rows());
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t k = 0; k < column.size(); ++k) column[k] = nu[k * outputs + o];
    add_price(samples, column, 1, share, budget, host, control, result);
  }
  return result;
}

}  // namespace secondorder::convex_relu
