#include "convex_relu/preprocessing.hpp"

#include <cmath>

#include "convex_relu/symmetric_eigen.hpp"

namespace secondorder::convex_relu {

namespace {

/// Spread below this fraction of a column's magnitude is rounding: the column is constant.
constexpr double constant_column = 1e-12;

/// PCA features get this bias, which fits rows of mean square norm 1 (a full 1 would dominate
/// them).
constexpr double component_bias = 0.3;

struct Moments {
  std::vector<double> mean, squares;  ///< of x; squares about the mean
};

Moments column_moments(const DataView& data, const HostAlgebra& host) {
  const std::size_t d = data.cols;
  Moments m{std::vector<double>(d), std::vector<double>(d)};
  std::vector<double> row(d);
  for (std::size_t k = 0; k < data.rows; ++k) {  // Welford's updates: no cancellation
    if (k % 256 == 0) host.checkpoint();
    data.read_row(k, row.data());
    for (std::size_t j = 0; j < d; ++j) {
      const double before = row[j] - m.mean[j];
      m.mean[j] += before / static_cast<double>(k + 1);
      m.squares[j] += before * (row[j] - m.mean[j]);
    }
  }
  return m;
}

/// The k leading eigenvectors of the covariance of s, and the scale that makes the mean square norm
/// of their coordinates 1.
void fit_components(const DataView& data, std::size_t k, HostAlgebra& host, Preprocessing& p) {
  const std::size_t d = data.cols;
  std::vector<double> storage(d * d);
  const View<double> covariance(storage.data(), d, d);
  for_each_block(data, p, host, [&](std::size_t, ConstView<double> s) {
    host.multiply(1, s, Transpose::yes, s, Transpose::no, 1, covariance);
  });
  const std::vector<double> values = symmetric_eigen(covariance, host);
  const double largest = std::max(values.back(), 0.0);
  double kept = 0;
  for (std::size_t i = 0; i < std::min(k, d); ++i) {
    const std::size_t source = d - 1 - i;
    if (values[source] <= largest * constant_column) break;
    kept += values[source];
    p.components.insert(p.components.end(), covariance.row(source), covariance.row(source) + d);
  }
  if (p.components.empty()) {  // constant data: one component, which is zero everywhere
    p.components.assign(covariance.row(d - 1), covariance.row(d - 1) + d);
  }
  if (kept > 0) p.feature_scale = std::sqrt(static_cast<double>(data.rows) / kept);
}

}  // namespace

void Preprocessing::standardize(const DataView& data, std::size_t first, HostAlgebra& host,
                                View<double> s) const {
  host.for_rows(s.rows, 4 * s.cols, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      double* row = s.row(k);
      data.read_row(first + k, row);
      for (std::size_t j = 0; j < s.cols; ++j) {
        row[j] = scale[j] > 0 ? (row[j] - mean[j]) / scale[j] : 0;
      }
    }
  });
}

void Preprocessing::features_of(ConstView<double> s, HostAlgebra& host, View<double> z) const {
  const std::size_t k = kept();
  const View<double> t = z.columns(0, k);
  if (components.empty()) {
    host.axpby(feature_scale, s, 0, t);
  } else {
    host.multiply(feature_scale, s, Transpose::no, {components.data(), k, s.cols}, Transpose::yes,
                  0, t);
  }
  if (bias_value == 0) return;
  for (std::size_t i = 0; i < z.rows; ++i) z.row(i)[k] = bias_value;
}

void for_each_block(const DataView& data, const Preprocessing& preprocessing, HostAlgebra& host,
                    const std::function<void(std::size_t first, ConstView<double> s)>& body) {
  const std::size_t rows = std::min(host_block, data.rows);
  std::vector<double> storage(rows * data.cols);
  for (std::size_t first = 0; first < data.rows; first += rows) {
    const View<double> s(storage.data(), std::min(rows, data.rows - first), data.cols);
    preprocessing.standardize(data, first, host, s);
    body(first, s);
  }
}

Preprocessing fit_preprocessing(const DataView& data, const Options& options, HostAlgebra& host) {
  const std::size_t d = data.cols;
  const double n = static_cast<double>(data.rows);
  Preprocessing p;
  p.mean.assign(d, 0);
  p.scale.assign(d, 1);
  p.bias_value = options.bias ? 1 : 0;
  const bool centre = options.preprocess == Preprocess::standardize || options.components > 0;
  if (centre || options.preprocess == Preprocess::unit_columns) {
    const Moments m = column_moments(data, host);
    for (std::size_t j = 0; j < d; ++j) {
      const double about_zero = m.squares[j] + n * m.mean[j] * m.mean[j];
      const bool constant = m.squares[j] <= n * std::pow(constant_column * m.mean[j], 2);
      if (centre) p.mean[j] = m.mean[j];
      if (options.preprocess == Preprocess::standardize) {
        p.scale[j] = constant ? 0 : std::sqrt(m.squares[j] / n);
      } else if (options.preprocess == Preprocess::unit_columns) {
        p.scale[j] = std::sqrt(centre ? m.squares[j] : about_zero);
      }
    }
  }
  if (options.preprocess == Preprocess::unit_columns && options.bias) {
    p.bias_value = 1 / std::sqrt(n);
  }
  if (options.components > 0) {
    fit_components(data, options.components, host, p);
    if (options.bias) p.bias_value = component_bias;
  }
  return p;
}

}  // namespace secondorder::convex_relu
