// The Fisher blocks as their definition has them, dense and in more than double precision: what the
// tests of M-FAC's static algorithm are measured by.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "test_support.hpp"

namespace secondorder::test {

#if defined(__SIZEOF_FLOAT128__)
__extension__ using Exact = __float128;
#else
using Exact = long double;  // 128 bits where there is no __float128
#endif

inline Exact square_root(Exact x) {
  Exact root = std::sqrt(static_cast<double>(x));
  for (int i = 0; i < 3 && root > 0; ++i) root = (root + x / root) / 2;
  return root;
}

/// A symmetric positive definite matrix, dense.
class ExactMatrix {
 public:
  explicit ExactMatrix(std::size_t order) : order_(order), values_(order * order, 0) {}
  std::size_t order() const { return order_; }
  Exact& operator()(std::size_t i, std::size_t j) { return values_[i * order_ + j]; }
  Exact operator()(std::size_t i, std::size_t j) const { return values_[i * order_ + j]; }

  /// λI + (1/m)·GᵀG for the columns [first, first + order) of rows of length `dimension`.
  static ExactMatrix fisher(std::span<const float> gradients, std::size_t dimension,
                            std::size_t first, std::size_t order, double damping) {
    const std::size_t rows = gradients.size() / dimension;
    ExactMatrix h(order);
    for (std::size_t k = 0; k < rows; ++k) {
      const float* g = gradients.data() + k * dimension + first;
      for (std::size_t i = 0; i < order; ++i) {
        for (std::size_t j = 0; j <= i; ++j) h(i, j) += static_cast<Exact>(g[i]) * g[j];
      }
    }
    for (std::size_t i = 0; i < order; ++i) {
      for (std::size_t j = 0; j <= i; ++j) h(j, i) = h(i, j) /= static_cast<Exact>(rows);
      h(i, i) += damping;
    }
    return h;
  }

  /// Only these rows and columns.
  ExactMatrix part(const std::vector<std::size_t>& chosen) const {
    ExactMatrix out(chosen.size());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      for (std::size_t j = 0; j < chosen.size(); ++j) out(i, j) = (*this)(chosen[i], chosen[j]);
    }
    return out;
  }

  /// By Gauss-Jordan elimination, which needs no pivoting here.
  ExactMatrix inverse() const {
    ExactMatrix a = *this, out(order_);
    for (std::size_t i = 0; i < order_; ++i) out(i, i) = 1;
    for (std::size_t k = 0; k < order_; ++k) {
      const Exact scale = 1 / a(k, k);
      for (std::size_t j = 0; j < order_; ++j) {
        a(k, j) *= scale;
        out(k, j) *= scale;
      }
      for (std::size_t i = 0; i < order_; ++i) {
        const Exact factor = a(i, k);
        if (i == k || factor == 0) continue;
        for (std::size_t j = k; j < order_; ++j) a(i, j) -= factor * a(k, j);
        for (std::size_t j = 0; j < order_; ++j) out(i, j) -= factor * out(k, j);
      }
    }
    return out;
  }

  std::vector<Exact> times(const std::vector<Exact>& x) const {
    std::vector<Exact> y(order_, 0);
    for (std::size_t i = 0; i < order_; ++i) {
      for (std::size_t j = 0; j < order_; ++j) y[i] += (*this)(i, j) * x[j];
    }
    return y;
  }

 private:
  std::size_t order_;
  std::vector<Exact> values_;
};

/// argmin ½δᵀHδ with δ_Q = −w_Q, and the minimum.
struct ExactRemoval {
  std::vector<Exact> delta;
  Exact loss = 0;

  ExactRemoval(const ExactMatrix& h, const std::vector<std::size_t>& removed,
               std::span<const float> weights)
      : delta(h.order(), 0) {
    std::vector<bool> gone(h.order(), false);
    for (const std::size_t q : removed) {
      gone[q] = true;
      delta[q] = -static_cast<Exact>(weights[q]);
    }
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < h.order(); ++i) {
      if (!gone[i]) kept.push_back(i);
    }
    std::vector<Exact> right;
    for (const std::size_t k : kept) {
      Exact sum = 0;
      for (const std::size_t q : removed) sum -= h(k, q) * delta[q];
      right.push_back(sum);
    }
    const std::vector<Exact> solution = h.part(kept).inverse().times(right);
    for (std::size_t k = 0; k < kept.size(); ++k) delta[kept[k]] = solution[k];
    const std::vector<Exact> hd = h.times(delta);
    for (std::size_t i = 0; i < h.order(); ++i) loss += delta[i] * hd[i] / 2;
  }
};

/// |got − want| / |want|
inline double relative(double got, Exact want) {
  if (!std::isfinite(got)) return std::numeric_limits<double>::infinity();
  const auto error = static_cast<double>(static_cast<Exact>(got) - want);
  return std::abs(error) / std::abs(static_cast<double>(want));
}

/// ‖got − want‖ / ‖want‖
template <class Got>
double relative(std::span<const Got> got, const std::vector<Exact>& want) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (!std::isfinite(got[i])) return std::numeric_limits<double>::infinity();
    const auto e = static_cast<double>(static_cast<Exact>(got[i]) - want[i]);
    const auto w = static_cast<double>(want[i]);
    error += e * e;
    size += w * w;
  }
  return size == 0 ? std::sqrt(error) : std::sqrt(error / size);
}

}  // namespace secondorder::test
