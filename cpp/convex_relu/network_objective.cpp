#include "convex_relu/network_objective.hpp"

#include <algorithm>

namespace secondorder::convex_relu {

template <class Real>
NetworkObjective<Real>::NetworkObjective(Algebra<Real>& algebra, Arena& arena,
                                         const Samples<Real>& samples, std::size_t neurons)
    : algebra_(algebra), samples_(samples) {
  const std::size_t rows = std::min(samples.x.rows, activation_rows);
  activations_ = arena.matrix<Real>(rows * neurons, 1);
  outputs_ = arena.matrix<Real>(rows, samples.y.cols);
  slopes_ = arena.matrix<Real>(rows, samples.y.cols);
}

/// Calls body(first, x, z) for blocks of samples, z being room for their activations.
template <class Real>
template <class Body>
void NetworkObjective<Real>::for_row_blocks(std::size_t neurons, Body body) const {
  for (std::size_t first = 0; first < samples_.x.rows; first += activation_rows) {
    const std::size_t rows = std::min(activation_rows, samples_.x.rows - first);
    body(first, samples_.x.block(first, rows), View<Real>(activations_.data, rows, neurons));
  }
}

template <class Real>
double NetworkObjective<Real>::operator()(ConstView<Real> weights, View<Real> gradient) const {
  const std::size_t r = samples_.x.cols, c = samples_.y.cols;
  const ConstView<Real> w = weights.columns(0, r), a = weights.columns(r, c);
  const auto beta = static_cast<Real>(samples_.beta);
  double value = 0.5 * samples_.beta * algebra_.dot(weights, weights);
  algebra_.axpby(beta, weights, 0, gradient);
  for_row_blocks(weights.rows, [&](std::size_t first, ConstView<Real> x, View<Real> z) {
    const View<Real> outputs = outputs_.block(0, x.rows), slopes = slopes_.block(0, x.rows);
    const ConstView<Real> y = samples_.y.block(first, x.rows);
    const ConstView<Real> sample_weights =
        samples_.weights.data == nullptr ? samples_.weights : samples_.weights.block(first, x.rows);
    algebra_.multiply(1, x, Transpose::no, w, Transpose::yes, 0, z);
    algebra_.rectify(z);
    algebra_.multiply(1, z, Transpose::no, a, Transpose::no, 0, outputs);
    value += algebra_.loss_gradient(samples_.loss, samples_.smoothing, outputs, y, sample_weights,
                                    slopes);
    algebra_.multiply(1, z, Transpose::yes, slopes, Transpose::no, 1, gradient.columns(r, c));
    algebra_.backpropagate(slopes, a, z);
    algebra_.multiply(1, z, Transpose::yes, x, Transpose::no, 1, gradient.columns(0, r));
  });
  return value;
}

template <class Real>
double NetworkObjective<Real>::predict(ConstView<Real> weights, View<Real> predictions,
                                       View<Real> slopes) const {
  const std::size_t r = samples_.x.cols, c = samples_.y.cols;
  algebra_.fill(predictions, 0);
  for_row_blocks(weights.rows, [&](std::size_t first, ConstView<Real> x, View<Real> z) {
    if (weights.rows == 0) return;
    algebra_.multiply(1, x, Transpose::no, weights.columns(0, r), Transpose::yes, 0, z);
    algebra_.rectify(z);
    algebra_.multiply(1, z, Transpose::no, weights.columns(r, c), Transpose::no, 0,
                      predictions.block(first, x.rows));
  });
  const double smooth = algebra_.loss_gradient(samples_.loss, samples_.smoothing, predictions,
                                               samples_.y, samples_.weights, slopes);
  const double loss = samples_.smoothing > 0 ? algebra_.loss_value(samples_.loss, predictions,
                                                                   samples_.y, samples_.weights)
                                             : smooth;
  return loss + 0.5 * samples_.beta * algebra_.dot(weights, weights);
}

template <class Real>
void NetworkObjective<Real>::activation_products(ConstView<Real> u, ConstView<Real> a,
                                                 ConstView<Real> nu, View<Real> q,
                                                 View<Real> g) const {
  for_row_blocks(u.rows, [&](std::size_t first, ConstView<Real> x, View<Real> z) {
    const Real keep = first == 0 ? 0 : 1;
    const ConstView<Real> dual = nu.block(first, x.rows);
    algebra_.multiply(1, x, Transpose::no, u, Transpose::yes, 0, z);
    algebra_.rectify(z);
    algebra_.multiply(1, z, Transpose::yes, dual, Transpose::no, keep, q);
    algebra_.backpropagate(dual, a, z);
    algebra_.multiply(1, z, Transpose::yes, x, Transpose::no, keep, g);
  });
}

template class NetworkObjective<float>;
template class NetworkObjective<double>;

}  // namespace secondorder::convex_relu
