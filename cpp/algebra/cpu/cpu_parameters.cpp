// Thresholds, norms and losses: what is done to parameters and predictions element by element.
#include <cmath>
#include <numeric>

#include "algebra/cpu/cpu_algebra.hpp"

namespace secondorder {

namespace {

constexpr std::size_t loss_rows = 1024;  ///< of a partial sum
constexpr std::size_t prox_rows = 256;   ///< of a task

}  // namespace

template <class Real>
void CpuAlgebra<Real>::group_threshold(ConstView<Real> p, std::size_t group, Real threshold,
                                       ConstView<Real> g, Real weight, ConstView<Real> scale,
                                       View<Real> v, View<Real> b) {
  for_rows(p.rows / group, 4 * group * p.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      double squares = 0;
      for (std::size_t row = i * group; row < (i + 1) * group; ++row) {
        squares += kernels_.dot_double(p.row(row), p.row(row), p.cols);
      }
      const double norm = std::sqrt(squares);
      const auto shrink = static_cast<Real>(norm > threshold ? 1 - threshold / norm : 0);
      for (std::size_t row = i * group; row < (i + 1) * group; ++row) {
        kernels_.reflect(p.row(row), shrink, g.data == nullptr ? nullptr : g.row(row), weight,
                         scale.data, p.cols, v.row(row), b.row(row));
      }
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::relax(ConstView<Real> t, Real sign, ConstView<Real> v, Real relaxation,
                             View<Real> b, View<Real> p) {
  for_rows(p.rows, 4 * p.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      kernels_.relax(t.row(row), sign, v.row(row), relaxation, p.cols, b.row(row), p.row(row));
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::gates_to_columns(ConstView<Real> u, View<Real> columns) {
  const std::size_t outputs = columns.cols, r = u.cols;
  for_rows(u.rows / outputs, outputs * r, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first * outputs; row < last * outputs; ++row) {
      const std::size_t gate = row / outputs, output = row % outputs;
      for (std::size_t j = 0; j < r; ++j) columns.row(gate * r + j)[output] = u.row(row)[j];
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::columns_to_gates(ConstView<Real> columns, View<Real> u) {
  const std::size_t outputs = columns.cols, r = u.cols;
  for_rows(u.rows / outputs, outputs * r, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first * outputs; row < last * outputs; ++row) {
      const std::size_t gate = row / outputs, output = row % outputs;
      for (std::size_t j = 0; j < r; ++j) u.row(row)[j] = columns.row(gate * r + j)[output];
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::group_norms(ConstView<Real> v, std::size_t group, std::span<double> norms) {
  for_rows(norms.size(), group * v.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      double squares = 0;
      for (std::size_t row = i * group; row < (i + 1) * group; ++row) {
        squares += kernels_.dot_double(v.row(row), v.row(row), v.cols);
      }
      norms[i] = std::sqrt(squares);
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::dual_norms(ConstView<Real> c, Real sign, ConstView<Real> g, Real weight,
                                  std::size_t group, std::span<double> norms) {
  for_rows(norms.size(), 2 * group * c.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      double squares = 0;
      for (std::size_t row = i * group; row < (i + 1) * group; ++row) {
        for (std::size_t j = 0; j < c.cols; ++j) {
          const double multiplier = g.data == nullptr ? 0 : static_cast<double>(g.row(row)[j]);
          const double value = static_cast<double>(sign) * c.row(row)[j] - weight * multiplier;
          squares += value * value;
        }
      }
      norms[i] = std::sqrt(squares);
    }
  });
}

template <class Real>
ScratchBytes CpuAlgebra<Real>::loss_scratch(const GatedShape& s) {
  return {2 * s.outputs * sizeof(double), Split::of(s.rows, loss_rows).parts * sizeof(double)};
}

template <class Real>
void CpuAlgebra<Real>::loss_prox(Loss loss, ConstView<Real> q, ConstView<Real> y,
                                 ConstView<Real> weights, Real penalty, View<Real> z,
                                 View<Real> a) {
  const Split split = Split::of(q.rows, prox_rows);
  parallel(split.parts, 100.0 * static_cast<double>(q.size()), [&](std::size_t part, int thread) {
    double* work = thread_scratch<double>(thread, 2 * q.cols);
    for (std::size_t k = split.begin(part); k < split.end(part); ++k) {
      const double weight = weights.data == nullptr ? 1 : static_cast<double>(weights.row(k)[0]);
      losses::prox(loss, q.row(k), y.row(k), penalty / weight, q.cols, z.row(k), work);
      for (std::size_t o = 0; o < q.cols; ++o) a.row(k)[o] = 2 * z.row(k)[o] - q.row(k)[o];
    }
  });
}

template <class Real>
double CpuAlgebra<Real>::loss_value(Loss loss, ConstView<Real> z, ConstView<Real> y,
                                    ConstView<Real> weights) {
  const Split split = Split::of(z.rows, loss_rows);
  double* sums = shared_scratch<double>(split.parts);
  parallel(split.parts, 50.0 * static_cast<double>(z.size()), [&](std::size_t part, int) {
    double sum = 0;
    for (std::size_t k = split.begin(part); k < split.end(part); ++k) {
      const double weight = weights.data == nullptr ? 1 : static_cast<double>(weights.row(k)[0]);
      sum += weight * losses::value(loss, z.row(k), y.row(k), z.cols);
    }
    sums[part] = sum;
  });
  return std::accumulate(sums, sums + split.parts, 0.0);
}

template <class Real>
double CpuAlgebra<Real>::loss_gradient(Loss loss, double smoothing, ConstView<Real> z,
                                       ConstView<Real> y, ConstView<Real> weights, View<Real> g) {
  const Split split = Split::of(z.rows, loss_rows);
  double* sums = shared_scratch<double>(split.parts);
  parallel(split.parts, 50.0 * static_cast<double>(z.size()), [&](std::size_t part, int thread) {
    double* slope = thread_scratch<double>(thread, z.cols);
    double sum = 0;
    for (std::size_t k = split.begin(part); k < split.end(part); ++k) {
      const double weight = weights.data == nullptr ? 1 : static_cast<double>(weights.row(k)[0]);
      sum +=
          weight * losses::value_and_gradient(loss, smoothing, z.row(k), y.row(k), z.cols, slope);
      for (std::size_t o = 0; o < z.cols; ++o) g.row(k)[o] = static_cast<Real>(weight * slope[o]);
    }
    sums[part] = sum;
  });
  return std::accumulate(sums, sums + split.parts, 0.0);
}

template class CpuAlgebra<float>;
template class CpuAlgebra<double>;

}  // namespace secondorder
