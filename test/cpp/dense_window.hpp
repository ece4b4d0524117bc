// A window of gradients as its definition has it: H dense, in 113 bits, solved by elimination.
// What the tests of M-FAC's dynamic algorithm are measured by.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "fisher_reference.hpp"
#include "mfac/fisher_window.hpp"
#include "test_support.hpp"

namespace secondorder::test {

using WideVector = std::vector<Wide>;

/// H = λI + (1/n) Σ g·gᵀ
class DenseFisher {
 public:
  DenseFisher(const std::vector<WideVector>& gradients, std::size_t dimension, Wide n, Wide damping)
      : order_(dimension), h_(dimension, std::vector<Exact>(dimension, 0)) {
    for (std::size_t i = 0; i < order_; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        for (const WideVector& g : gradients) h_[i][j] += static_cast<Exact>(g[i]) * g[j];
        if (!gradients.empty()) h_[i][j] /= n;
      }
      h_[i][i] += damping;
    }
    // H = L·D·Lᵀ in place, L with a unit diagonal.
    for (std::size_t j = 0; j < order_; ++j) {
      std::vector<Exact> scaled(h_[j].begin(), h_[j].begin() + static_cast<std::ptrdiff_t>(j));
      for (std::size_t p = 0; p < j; ++p) scaled[p] *= h_[p][p];
      for (std::size_t i = j; i < order_; ++i) {
        for (std::size_t p = 0; p < j; ++p) h_[i][j] -= h_[i][p] * scaled[p];
        if (i > j) h_[i][j] /= h_[j][j];
      }
    }
  }

  WideVector solve(const WideVector& x) const {
    std::vector<Exact> b(x.begin(), x.end());
    for (std::size_t i = 0; i < order_; ++i) {
      for (std::size_t j = 0; j < i; ++j) b[i] -= h_[i][j] * b[j];
    }
    for (std::size_t i = order_; i-- > 0;) {
      b[i] /= h_[i][i];
      for (std::size_t j = i + 1; j < order_; ++j) b[i] -= h_[j][i] * b[j];
    }
    WideVector solution;
    for (const Exact value : b) solution.push_back(static_cast<Wide>(value));
    return solution;
  }

 private:
  std::size_t order_;
  std::vector<std::vector<Exact>> h_;
};

/// The gradients of a window as they are stored, the oldest first.
inline std::vector<WideVector> stored_gradients(const mfac::FisherWindow& window) {
  std::vector<WideVector> gradients;
  std::vector<double> row(window.columns());
  for (std::size_t i = 0; i < window.size(); ++i) {
    window.rows().read_row(window.slot(i), row);
    gradients.emplace_back(row.begin(), row.end());
  }
  return gradients;
}

/// H of a window without a mask, from what it has stored.
inline DenseFisher dense_fisher(const mfac::FisherWindow& window) {
  const bool count = window.options().normalize == mfac::Normalize::count;
  const std::size_t n = count ? window.size() : window.options().capacity;
  return {stored_gradients(window), window.columns(), static_cast<Wide>(n), window.damping()};
}

/// ‖got − want‖ / ‖want‖, or ‖got‖ where want is 0.
template <class Got>
double distance(std::span<const Got> got, const WideVector& want) {
  if (got.size() != want.size()) return std::numeric_limits<double>::infinity();
  Wide error = 0, size = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const Wide difference = static_cast<Wide>(got[i]) - want[i];
    error += difference * difference;
    size += want[i] * want[i];
  }
  const Wide relative = std::sqrt(error) / (size > 0 ? std::sqrt(size) : Wide(1));
  return std::isfinite(relative) ? static_cast<double>(relative)
                                 : std::numeric_limits<double>::infinity();
}
template <class Got>
double distance(const std::vector<Got>& got, const WideVector& want) {
  return distance(std::span<const Got>(got), want);
}

inline std::vector<float> normal_floats(std::size_t count, Random& random, double scale = 1) {
  std::vector<float> values;
  for (std::size_t j = 0; j < count; ++j) {
    values.push_back(static_cast<float>(scale * random.normal()));
  }
  return values;
}

inline WideVector widened(std::span<const float> x) { return {x.begin(), x.end()}; }

inline HostVector host(const std::vector<float>& x) { return std::span<const float>(x); }
inline HostVector host(const std::vector<double>& x) { return std::span<const double>(x); }

inline const RunControl freely;

inline mfac::FisherWindowOptions shape(std::size_t dimension, std::size_t capacity, double damping,
                                       Storage storage = Storage::float32) {
  mfac::FisherWindowOptions options;
  options.dimension = dimension;
  options.capacity = capacity;
  options.damping = damping;
  options.storage = storage;
  return options;
}

inline std::vector<float> push_and_solve(mfac::FisherWindow& window, const std::vector<float>& g) {
  std::vector<float> solution(g.size());
  window.push(host(g), solution, freely);
  return solution;
}

inline std::vector<float> solve(mfac::FisherWindow& window, const HostVector& x) {
  std::vector<float> solution(window.options().dimension);
  window.solve(std::span(&x, 1), solution, freely);
  return solution;
}

/// An x in float32 and one in float64, both at once, against dense H.
inline void check_both_precisions(mfac::FisherWindow& window, const std::vector<float>& single,
                                  const std::vector<double>& twofold) {
  const std::size_t d = single.size();
  const HostVector both[] = {host(single), host(twofold)};
  std::vector<float> out(2 * d);
  window.solve(both, out, freely);
  const auto dense = dense_fisher(window);
  CHECK(distance(std::span<const float>(out).first(d), dense.solve(widened(single))) < 1e-6);
  CHECK(distance(std::span<const float>(out).last(d),
                 dense.solve({twofold.begin(), twofold.end()})) < 1e-6);
}

}  // namespace secondorder::test
