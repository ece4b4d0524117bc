#include "convex_relu/signed_program.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "algebra/download.hpp"
#include "base/error.hpp"
#include "convex_relu/route.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr double relaxation = 1.7;
/// Steps of the power method towards the rank-one part of a V.
constexpr int power_steps = 20;

double median_size(const Neurons& neurons) {
  std::vector<double> sizes = neurons.sizes();
  if (sizes.empty()) return 0;
  const double largest = *std::max_element(sizes.begin(), sizes.end());
  std::erase_if(sizes, [&](double size) { return size <= 1e-4 * largest; });
  if (sizes.empty()) return 0;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle;
}

}  // namespace

template <class Real>
SignedProgram<Real>::Layout::Layout(Algebra<Real>& algebra, Arena& arena,
                                    const Samples<Real>& samples,
                                    const std::vector<double>& eigenvalues, std::size_t gates,
                                    Route route)
    : program(make_program(arena, samples, eigenvalues, gates)),
      u(arena.matrix<Real>(gates, samples.x.cols)),
      admm(algebra, arena, program, route, relaxation) {}

template <class Real>
Program<Real> SignedProgram<Real>::make_program(Arena& arena, const Samples<Real>& samples,
                                                const std::vector<double>& eigenvalues,
                                                std::size_t gates) {
  const std::size_t c = samples.y.cols;
  Program<Real> program(GatedShape{samples.x.rows, samples.x.cols, gates, c, 1});
  program.loss = samples.loss;
  program.beta = samples.beta;
  program.group = c;
  program.eigenvalues = eigenvalues;
  program.x = samples.x;
  program.y = samples.y;
  program.weights = samples.weights;
  program.gates = arena.gate_bits(samples.x.rows, gates);
  program.signs = arena.matrix<Real>(gates * c, 1);
  program.signed_gates = true;
  return program;
}

template <class Real>
SignedProgram<Real>::SignedProgram(Algebra<Real>& algebra, const Samples<Real>& samples,
                                   const std::vector<double>& eigenvalues, std::size_t gates,
                                   std::size_t available)
    : algebra_(algebra), samples_(samples), eigenvalues_(eigenvalues) {
  const GatedShape shape{samples.x.rows, samples.x.cols, gates, samples.y.cols, 1};
  std::optional<double> least;
  std::size_t smallest = 0;
  for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
    Arena counting;
    const Layout layout(algebra, counting, samples, eigenvalues, gates, route);
    const std::size_t bytes = counting.bytes();
    if (smallest == 0 || bytes < smallest) smallest = bytes;
    const double cost = route_cost(route, shape, samples.loss, iterations);
    if (bytes > available || (least && cost >= *least)) continue;
    least = cost;
    route_ = route;
    bytes_ = bytes;
  }
  if (least) return;
  throw Error(ErrorCode::out_of_memory, "gate refinement needs " + std::to_string(smallest) +
                                            " bytes of memory, and " + std::to_string(available) +
                                            " are available; take fewer gates or samples");
}

template <class Real>
Neurons SignedProgram<Real>::solve(Arena& arena, const Neurons& neurons, const Neurons& priced,
                                   ConstView<Real> predictions, ConstView<Real> nu,
                                   double balance) {
  Neurons all = neurons;
  all.append(priced);
  Layout layout(algebra_, arena, samples_, eigenvalues_, all.count(), route_);
  const std::vector<Real> directions(all.u.begin(), all.u.end());
  algebra_.upload(directions, layout.u);
  algebra_.open_gates(samples_.x, layout.u, layout.program.gates);
  std::vector<Real> signs;
  for (const double value : all.b) signs.push_back(value < 0 ? Real(-1) : Real(1));
  algebra_.upload(signs, layout.program.signs);

  const double size = median_size(neurons);
  const double rho = size > 0 ? balance * samples_.beta / size : 1;
  const std::vector<Real> p = starting_point(layout, all, neurons.count(), nu, rho);
  if (samples_.loss == Loss::squared) {
    layout.admm.start(rho, layout.admm.tau(), p, {}, {});
  } else {  // z at the predictions, whose multiplier τ(qz − z) is ν
    const double slope = algebra_.dot(nu, nu), output = algebra_.dot(predictions, predictions);
    const bool measured = slope > 0 && output > 0;
    const double tau = measured ? 0.5 * std::sqrt(slope / output) : layout.admm.tau();
    std::vector<Real> qz = downloaded(algebra_, predictions);
    const std::vector<Real> dual = downloaded(algebra_, nu);
    for (std::size_t k = 0; k < qz.size(); ++k) qz[k] += dual[k] / static_cast<Real>(tau);
    layout.admm.start(rho, tau, p, {}, qz);
  }
  for (std::size_t k = 0; k < iterations; ++k) {
    algebra_.checkpoint();
    layout.admm.iterate();
  }
  std::vector<Real> v(directions.size() * samples_.y.cols);
  algebra_.download(layout.admm.parameters(), v);
  return neurons_at(v, all);
}

/// p = V·(1 + β/(ρ‖V‖)) for the neurons; for priced ones V = 0 and p = −σ∘Xᵀ(D∘ν)/ρ, shortened to
/// the norm β/ρ where it is longer.
template <class Real>
std::vector<Real> SignedProgram<Real>::starting_point(Layout& layout, const Neurons& all,
                                                      std::size_t active, ConstView<Real> nu,
                                                      double rho) {
  const std::size_t r = all.features, c = all.outputs;
  const double threshold = samples_.beta / rho;
  const View<Real> products = layout.admm.v();
  algebra_.gated_adjoint(samples_.x, layout.program.gates, nu, products);
  std::vector<Real> p = downloaded(algebra_, products);
  const std::vector<double> sizes = all.sizes();
  for (std::size_t i = 0; i < all.count(); ++i) {
    Real* rows = p.data() + i * c * r;
    double squares = 0;
    for (std::size_t o = 0; o < c; ++o) {
      const double b = all.output(i)[o];
      for (std::size_t l = 0; l < r; ++l) {
        Real& value = rows[o * r + l];
        if (i < active) {
          value = static_cast<Real>(std::abs(b) * all.direction(i)[l] * (1 + threshold / sizes[i]));
        } else {
          value *= static_cast<Real>((b < 0 ? 1 : -1) / rho);
          squares += static_cast<double>(value) * value;
        }
      }
    }
    const double norm = std::sqrt(squares);
    for (std::size_t l = 0; norm > threshold && l < c * r; ++l) {
      rows[l] *= static_cast<Real>(threshold / norm);
    }
  }
  return p;
}

/// Vᵢ = b·uᵀ with b ≥ 0, times the signs; for several outputs its best such approximation.
template <class Real>
Neurons SignedProgram<Real>::neurons_at(const std::vector<Real>& v, const Neurons& all) const {
  const std::size_t r = all.features, c = all.outputs;
  Neurons found{r, c, {}, {}};
  std::vector<double> u(r), b(c);
  for (std::size_t i = 0; i < all.count(); ++i) {
    const Real* rows = v.data() + i * c * r;
    b.assign(c, 1 / std::sqrt(static_cast<double>(c)));
    bool zero = false;
    for (int step = 0; step < (c == 1 ? 1 : power_steps) && !zero; ++step) {
      u.assign(r, 0);
      for (std::size_t o = 0; o < c; ++o) {
        for (std::size_t l = 0; l < r; ++l) u[l] += b[o] * static_cast<double>(rows[o * r + l]);
      }
      double squares = 0;
      for (std::size_t o = 0; o < c; ++o) {
        double sum = 0;
        for (std::size_t l = 0; l < r; ++l) sum += static_cast<double>(rows[o * r + l]) * u[l];
        b[o] = std::max(sum, 0.0);
        squares += b[o] * b[o];
      }
      zero = !(squares > 0);
      for (double& value : b) value /= std::sqrt(squares);
    }
    if (zero) continue;
    for (std::size_t o = 0; o < c; ++o) b[o] = all.output(i)[o] < 0 ? -b[o] : b[o];
    found.append(u, b);
  }
  return found;
}

template class SignedProgram<float>;
template class SignedProgram<double>;

}  // namespace secondorder::convex_relu
