// Two-layer ReLU networks: activations of tiles of rows, and what flows back through them.
#include <cmath>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/cpu_algebra.hpp"

namespace secondorder {

namespace {

constexpr std::size_t activation_operations = 4;  ///< per element that is touched once
constexpr std::size_t gate_columns = 512;         ///< of a tile of gates: whole words

}  // namespace

template <class Real>
void CpuAlgebra<Real>::scale_rows(ConstView<Real> scale, View<Real> a) {
  for_rows(a.rows, a.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      kernels_.scaled_copy(scale.row(i)[0], a.row(i), a.cols, a.row(i));
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::normalize_rows(View<Real> a) {
  for_rows(a.rows, 2 * a.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const double norm = std::sqrt(kernels_.dot_double(a.row(i), a.row(i), a.cols));
      if (norm > 0) {
        kernels_.scaled_copy(static_cast<Real>(1 / norm), a.row(i), a.cols, a.row(i));
      }
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::rectify(View<Real> a) {
  for_rows(a.rows, a.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) kernels_.rectify(a.cols, a.row(i));
  });
}

template <class Real>
void CpuAlgebra<Real>::backpropagate(ConstView<Real> g, ConstView<Real> a, View<Real> z) {
  const std::size_t neurons = z.cols, outputs = g.cols;
  if (outputs == 1) {  // every row of z is a multiple of the same weights
    Real* weights = shared_scratch<Real>(neurons);
    for (std::size_t j = 0; j < neurons; ++j) weights[j] = a.row(j)[0];
    for_rows(z.rows, activation_operations * neurons, [&](std::size_t first, std::size_t last) {
      for (std::size_t k = first; k < last; ++k) {
        kernels_.pass_open(weights, g.row(k)[0], neurons, z.row(k));
      }
    });
    return;
  }
  const Split rows = Split::of(z.rows, tile_rows(neurons));
  const double operations = 2.0 * static_cast<double>(z.size()) * static_cast<double>(outputs);
  parallel(rows.parts, operations, [&](std::size_t part, int thread) {
    const std::size_t first = rows.begin(part), count = rows.end(part) - first;
    Real* products = thread_scratch<Real>(thread, rows.longest() * neurons);
    blas::gemm(CblasNoTrans, CblasTrans, count, neurons, outputs, Real(1), g.row(first), g.stride,
               a.data, a.stride, Real(0), products, neurons);
    for (std::size_t k = 0; k < count; ++k) {
      kernels_.pass_open(products + k * neurons, Real(1), neurons, z.row(first + k));
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::open_gates(ConstView<Real> x, ConstView<Real> u, GateBits gates) {
  const Split rows = Split::of(x.rows, tile_rows(gate_columns));
  const std::size_t tiles = divide_up(gates.gates, gate_columns);
  const double operations = 2.0 * static_cast<double>(x.size()) * static_cast<double>(u.rows);
  parallel(rows.parts * tiles, operations, [&](std::size_t index, int thread) {
    const std::size_t part = index / std::max<std::size_t>(tiles, 1);
    const std::size_t gate = index % tiles * gate_columns;
    const std::size_t count = std::min(gate_columns, gates.gates - gate);
    const std::size_t first = rows.begin(part), taken = rows.end(part) - first;
    Real* values = thread_scratch<Real>(thread, rows.longest() * gate_columns);
    blas::gemm(CblasNoTrans, CblasTrans, taken, count, x.cols, Real(1), x.row(first), x.stride,
               u.row(gate), u.stride, Real(0), values, count);
    for (std::size_t k = 0; k < taken; ++k) {
      std::uint64_t* words = gates.row(first + k) + gate / 64;
      std::fill_n(words, divide_up(count, 64), std::uint64_t{0});
      for (std::size_t i = 0; i < count; ++i) {
        words[i / 64] |= std::uint64_t{values[k * count + i] >= 0} << (i % 64);
      }
    }
  });
}

template class CpuAlgebra<float>;
template class CpuAlgebra<double>;

}  // namespace secondorder
