#include "convex_relu/adversarial_update.hpp"

#include <algorithm>

#include "convex_relu/symmetric_eigen.hpp"

namespace secondorder::convex_relu {

namespace {

template <class Real>
void upload(Algebra<Real>& algebra, const std::vector<double>& values, View<Real> to) {
  const std::vector<Real> converted(values.begin(), values.end());
  algebra.upload(converted, to);
}

/// Samples at which both of two gates are open, P × P.
std::vector<double> open_at_both(GateBits patterns, HostAlgebra& host) {
  const std::size_t count = patterns.gates;
  std::vector<double> gram(count * count), open(std::min(host_block, patterns.rows) * count);
  for (std::size_t first = 0; first < patterns.rows; first += host_block) {
    const std::size_t rows = std::min(host_block, patterns.rows - first);
    for (std::size_t k = 0; k < rows; ++k) {
      for (std::size_t i = 0; i < count; ++i) {
        open[k * count + i] = patterns.test(first + k, i) ? 1 : 0;
      }
    }
    const View<double> d(open.data(), rows, count);
    host.multiply(1, d, Transpose::yes, d, Transpose::no, 1, {gram.data(), count, count});
  }
  return gram;
}

}  // namespace

template <class Real>
SylvesterUpdate<Real>::SylvesterUpdate(Algebra<Real>& algebra, RobustOperations<Real>& operations,
                                       Arena& arena, const RobustProgram<Real>& program)
    : algebra_(algebra),
      operations_(operations),
      x_vectors_(arena.matrix<Real>(program.features, program.features)),
      gate_vectors_(arena.matrix<Real>(program.gates, program.gates)),
      metric_(arena.matrix<Real>(1, program.features)),
      coupling_(arena.matrix<Real>(1, program.gates)),
      none_(arena.matrix<Real>(1, program.gates)),
      rotated_(arena.matrix<Real>(program.gates, program.features)),
      t_(arena.matrix<Real>(program.gates, program.features)) {}

template <class Real>
void SylvesterUpdate<Real>::factor(const RobustData& data, GateBits patterns, HostAlgebra& host) {
  const std::size_t f = data.features, count = patterns.gates;
  std::vector<double> gram(f * f);
  const ConstView<double> x = data.features_view();
  host.multiply(1, x, Transpose::yes, x, Transpose::no, 0, {gram.data(), f, f});
  std::vector<double> values = symmetric_eigen({gram.data(), f, f}, host);
  upload(algebra_, gram, x_vectors_);
  for (double& value : values) {
    value = 1 + gamma_box + gamma_robust_cone * std::max(value, 0.0);
  }
  upload(algebra_, values, metric_);
  std::vector<double> both = open_at_both(patterns, host);
  gate_values_ = symmetric_eigen({both.data(), count, count}, host);
  upload(algebra_, both, gate_vectors_);
  algebra_.fill(none_, 0);
}

template <class Real>
void SylvesterUpdate<Real>::set_weight(double kappa) {
  std::vector<double> coupling;
  for (const double value : gate_values_) coupling.push_back(2 * kappa * std::max(value, 0.0));
  upload(algebra_, coupling, coupling_);
}

template <class Real>
void SylvesterUpdate<Real>::solve(View<Real> sum, View<Real> difference) {
  algebra_.multiply(1, sum, Transpose::no, x_vectors_, Transpose::yes, 0, t_);
  operations_.divide_by_sums(none_, metric_, t_);
  algebra_.multiply(1, t_, Transpose::no, x_vectors_, Transpose::no, 0, sum);

  algebra_.multiply(1, difference, Transpose::no, x_vectors_, Transpose::yes, 0, t_);
  algebra_.multiply(1, gate_vectors_, Transpose::no, t_, Transpose::no, 0, rotated_);
  operations_.divide_by_sums(coupling_, metric_, rotated_);
  algebra_.multiply(1, gate_vectors_, Transpose::yes, rotated_, Transpose::no, 0, t_);
  algebra_.multiply(1, t_, Transpose::no, x_vectors_, Transpose::no, 0, difference);
}

template class SylvesterUpdate<float>;
template class SylvesterUpdate<double>;

}  // namespace secondorder::convex_relu
