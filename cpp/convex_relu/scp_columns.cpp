#include "convex_relu/scp_columns.hpp"

#include <algorithm>

namespace secondorder::convex_relu {

namespace {

/// In double, as several sums side by side.
template <class Real>
double dot(const Real* a, const double* b, std::size_t count) {
  constexpr std::size_t lanes = 8;
  double sums[lanes] = {};
  std::size_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    for (std::size_t l = 0; l < lanes; ++l) sums[l] += static_cast<double>(a[k + l]) * b[k + l];
  }
  double sum = 0;
  for (; k < count; ++k) sum += static_cast<double>(a[k]) * b[k];
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

template <class Real>
ScpColumns<Real>::ScpColumns(std::size_t count, std::size_t rows)
    : count_(count), rows_(rows), values_(count * rows) {}

template <class Real>
ScpColumns<Real>::ScpColumns(const std::vector<double>& directions, const DataView& data,
                             const Preprocessing& preprocessing, HostAlgebra& host)
    : ScpColumns(directions.size() / preprocessing.features(), data.rows) {
  for_each_activations(
      directions, data, preprocessing, host, [&](std::size_t first, ConstView<double> activations) {
        host.for_rows(count_, activations.cols, [&](std::size_t begin, std::size_t end) {
          for (std::size_t j = begin; j < end; ++j) {
            const double* from = activations.row(j);
            Real* to = column(j) + first;
            for (std::size_t k = 0; k < activations.cols; ++k) to[k] = static_cast<Real>(from[k]);
          }
        });
      });
}

template <class Real>
void ScpColumns<Real>::correlate(std::span<const std::size_t> which, ConstView<double> nu,
                                 HostAlgebra& host, View<double> q) const {
  host.for_rows(which.size(), 2 * rows_ * nu.rows, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t j = which[i];
      for (std::size_t o = 0; o < nu.rows; ++o) q.row(j)[o] = dot(column(j), nu.row(o), rows_);
    }
  });
}

template <class Real>
void ScpColumns<Real>::combine(std::span<const std::size_t> which, ConstView<double> weights,
                               HostAlgebra& host, View<double> z) const {
  host.for_rows(rows_, 2 * which.size() * z.rows, [&](std::size_t begin, std::size_t end) {
    for (std::size_t o = 0; o < z.rows; ++o) {
      double* out = z.row(o);
      std::fill(out + begin, out + end, 0.0);
      for (std::size_t i = 0; i < which.size(); ++i) {
        const Real* from = column(which[i]);
        const double weight = weights.row(i)[o];
        for (std::size_t k = begin; k < end; ++k) out[k] += weight * static_cast<double>(from[k]);
      }
    }
  });
}

template <class Real>
std::vector<double> ScpColumns<Real>::squares(std::span<const double> weights,
                                              HostAlgebra& host) const {
  std::vector<double> sums(count_);
  host.for_rows(count_, 2 * rows_, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) {
      for (std::size_t k = 0; k < rows_; ++k) {
        const double value = column(j)[k];
        sums[j] += (weights.empty() ? 1 : weights[k]) * value * value;
      }
    }
  });
  return sums;
}

template class ScpColumns<float>;
template class ScpColumns<double>;

}  // namespace secondorder::convex_relu
