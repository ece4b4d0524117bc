#include "algebra/cpu/cpu_robust.hpp"

namespace secondorder {

namespace {

/// Passes over a row that finding a root takes, roughly.
constexpr std::size_t root_passes = 12;

}  // namespace

template <class Real>
void CpuRobustOperations<Real>::robust_loss_prox(Loss loss, ConstView<Real> x, ConstView<Real> y,
                                                 ConstView<Real> weights, ConstView<Real> radius,
                                                 Real penalty, ConstView<Real> q, View<Real> z) {
  algebra_.for_rows(q.rows, 8 * root_passes * q.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t k = first; k < last; ++k) {
      const double weight = weights.data == nullptr ? 1 : static_cast<double>(weights.row(k)[0]);
      const robust::Sample<Real> sample{x.row(k), radius.data, static_cast<double>(y.row(k)[0]),
                                        q.cols};
      robust::loss_prox(loss, sample, q.row(k), penalty / weight, z.row(k));
    }
  });
}

template <class Real>
void CpuRobustOperations<Real>::robust_cone_prox(ConstView<Real> radius, Real ratio,
                                                 ConstView<Real> e0, ConstView<Real> s0,
                                                 View<Real> e, View<Real> s) {
  const std::size_t operations = root_passes * (4 * e0.cols + 2 * s0.cols);
  algebra_.for_rows(e0.rows, operations, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      robust::cone_prox(e0.row(i), e0.cols, s0.row(i), s0.cols, radius.data, ratio, e.row(i),
                        s.row(i));
    }
  });
}

template <class Real>
ConeSums CpuRobustOperations<Real>::robust_violation(ConstView<Real> radius, ConstView<Real> v,
                                                     ConstView<Real> s) {
  sums_.resize(v.rows);
  algebra_.for_rows(v.rows, 2 * v.cols + 4 * s.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      double level = 0;
      for (std::size_t j = 0; j < v.cols; ++j) {
        level += static_cast<double>(radius.data[j]) * std::abs(static_cast<double>(v.row(i)[j]));
      }
      ConeSums sums;
      for (std::size_t k = 0; k < s.cols; ++k) {
        const double value = s.row(i)[k], missing = level - value;
        sums.total += value * value;
        sums.violation += missing > 0 ? missing * missing : 0;
      }
      sums_[i] = sums;
    }
  });
  ConeSums all;
  for (const ConeSums& sums : sums_) {
    all.violation += sums.violation;
    all.total += sums.total;
  }
  return all;
}

template <class Real>
void CpuRobustOperations<Real>::reflect(Real relaxation, View<Real> prox, View<Real> state) {
  algebra_.for_rows(prox.rows, 4 * prox.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      Real* p = prox.row(i);
      Real* q = state.row(i);
      for (std::size_t j = 0; j < prox.cols; ++j) {
        const Real point = p[j];
        p[j] = 2 * point - q[j];
        q[j] -= relaxation * point;
      }
    }
  });
}

template <class Real>
void CpuRobustOperations<Real>::apply_signs(ConstView<Real> d, View<Real> w) {
  algebra_.for_rows(w.rows, 2 * w.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const Real* open = d.row(i % d.rows);
      Real* row = w.row(i);
      for (std::size_t k = 0; k < w.cols; ++k) row[k] *= 2 * open[k] - 1;
    }
  });
}

template <class Real>
void CpuRobustOperations<Real>::divide_by_sums(ConstView<Real> left, ConstView<Real> right,
                                               View<Real> a) {
  algebra_.for_rows(a.rows, 4 * a.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      for (std::size_t j = 0; j < a.cols; ++j) a.row(i)[j] /= left.data[i] + right.data[j];
    }
  });
}

template class CpuRobustOperations<float>;
template class CpuRobustOperations<double>;

}  // namespace secondorder
