// Parameters in groups: thresholds with their reflection, norms, relaxation, layouts.
#include "algebra/device_algebra.hpp"
#include "algebra/for_elements.hpp"
#include "algebra/reductions.hpp"

namespace secondorder::cuda {

namespace {

constexpr unsigned groups_per_block = 8;  ///< a warp each

/// v = p·max(0, 1 − threshold/‖p‖), b = scale∘(2v − p + weight·g), for one group of each warp.
template <class Real>
__global__ void threshold_groups(ConstView<Real> p, std::size_t group, Real threshold,
                                 ConstView<Real> g, Real weight, const Real* scale, View<Real> v,
                                 View<Real> b) {
  const std::size_t first = (std::size_t{blockIdx.x} * groups_per_block + threadIdx.y) * group;
  if (first >= p.rows) return;
  double squares = 0;
  for (std::size_t row = first; row < first + group; ++row) {
#pragma unroll 4
    for (std::size_t j = threadIdx.x; j < p.cols; j += 32) {
      const double value = p.row(row)[j];
      squares += value * value;
    }
  }
  const double norm = sqrt(warp_sum(squares));
  const auto shrink = static_cast<Real>(norm > threshold ? 1 - threshold / norm : 0);
  for (std::size_t row = first; row < first + group; ++row) {
#pragma unroll 4
    for (std::size_t j = threadIdx.x; j < p.cols; j += 32) {
      const Real from = p.row(row)[j], thresholded = shrink * from;
      const Real rest = 2 * thresholded - from;
      v.row(row)[j] = thresholded;
      b.row(row)[j] = scale[j] * (g.data == nullptr ? rest : rest + weight * g.row(row)[j]);
    }
  }
}

/// ‖sign·c − weight·g‖ for one group of each warp.
template <class Real>
__global__ void norms_of_groups(ConstView<Real> c, Real sign, ConstView<Real> g, Real weight,
                                std::size_t group, double* norms) {
  const std::size_t index = std::size_t{blockIdx.x} * groups_per_block + threadIdx.y;
  const std::size_t first = index * group;
  if (first >= c.rows) return;
  double squares = 0;
  for (std::size_t row = first; row < first + group; ++row) {
#pragma unroll 4
    for (std::size_t j = threadIdx.x; j < c.cols; j += 32) {
      const double other = g.data == nullptr ? 0 : static_cast<double>(g.row(row)[j]);
      const double value = static_cast<double>(sign) * c.row(row)[j] - weight * other;
      squares += value * value;
    }
  }
  squares = warp_sum(squares);
  if (threadIdx.x == 0) norms[index] = sqrt(squares);
}

template <class Real>
struct Relax {
  ConstView<Real> t;
  Real sign;
  ConstView<Real> v;
  Real relaxation;
  View<Real> b, p;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    const Pack<Real, width> step = load<width>(t.row(i) + j), at = load<width>(v.row(i) + j);
    Pack<Real, width> u = load<width>(b.row(i) + j), to = load<width>(p.row(i) + j);
#pragma unroll
    for (int k = 0; k < width; ++k) {
      u.at[k] += sign * step.at[k];
      to.at[k] += relaxation * (u.at[k] - at.at[k]);
    }
    store(b.row(i) + j, u);
    store(p.row(i) + j, to);
  }
};

/// Element (gate·r + j, output) of one layout and (gate·outputs + output, j) of the other.
template <class Real, bool to_columns>
struct Relayout {
  View<Real> columns, gates;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t output) const {
    const auto features = static_cast<unsigned>(gates.cols);
    const unsigned gate = static_cast<unsigned>(i) / features;
    Real& column = columns.row(i)[output];
    Real& parameter = gates.row(gate * columns.cols + output)[i - std::size_t{gate} * features];
    (to_columns ? column : parameter) = to_columns ? parameter : column;
  }
};

template <class Real>
View<Real> writable(ConstView<Real> view) {
  return {const_cast<Real*>(view.data), view.rows, view.cols, view.stride};
}

}  // namespace

template <class Real>
std::size_t CudaAlgebra<Real>::scratch_need(const GatedShape& s) const {
  const std::size_t outputs = s.outputs, parameter_rows = s.parameter_rows();
  const std::size_t unknowns = std::max(s.rows, s.gates * s.features);
  std::size_t bytes =
      std::max({tiles(s.rows, s.set_rows(), forward_unit(outputs)).elements() * sizeof(Real),
                tiles(s.rows, s.set_rows(), adjoint_unit).elements() * sizeof(Real),
                parameter_rows * sizeof(double),        // norms
                2 * s.rows * outputs * sizeof(double),  // the work of a softmax's proximal step
                unknowns * outputs * sizeof(Real),      // solves
                factor_scratch(unknowns).bytes()});
  if (s.sets == 2) {
    bytes = std::max({bytes, tiles(s.rows, parameter_rows, adjoint_unit).elements() * sizeof(Real),
                      network_bytes(s.rows, tiles(s.rows, s.set_rows(), forward_unit(outputs)))});
  }
  return bytes;
}

template <class Real>
void CudaAlgebra<Real>::group_threshold(ConstView<Real> p, std::size_t group, Real threshold,
                                        ConstView<Real> g, Real weight, ConstView<Real> scale,
                                        View<Real> v, View<Real> b) {
  begin_pass(5 * p.size());
  launch(threshold_groups<Real>, blocks_for(p.rows / group, groups_per_block),
         dim3(32, groups_per_block), 0, stream_.get(), p, group, threshold, g, weight, scale.data,
         v, b);
}

template <class Real>
void CudaAlgebra<Real>::relax(ConstView<Real> t, Real sign, ConstView<Real> v, Real relaxation,
                              View<Real> b, View<Real> p) {
  begin_pass(6 * p.size());
  for_elements<Real>(stream_.get(), Extent::flat(t, v, ConstView<Real>(b), ConstView<Real>(p)),
                     Relax<Real>{t, sign, v, relaxation, b, p});
}

template <class Real>
void CudaAlgebra<Real>::gates_to_columns(ConstView<Real> u, View<Real> columns) {
  begin_pass(2 * u.size());
  Extent extent = Extent::of(columns);
  extent.packs = false;
  for_elements<Real>(stream_.get(), extent, Relayout<Real, true>{columns, writable(u)});
}

template <class Real>
void CudaAlgebra<Real>::columns_to_gates(ConstView<Real> columns, View<Real> u) {
  begin_pass(2 * u.size());
  Extent extent = Extent::of(columns);
  extent.packs = false;
  for_elements<Real>(stream_.get(), extent, Relayout<Real, false>{writable(columns), u});
}

template <class Real>
void CudaAlgebra<Real>::group_norms(ConstView<Real> v, std::size_t group, std::span<double> norms) {
  dual_norms(v, 1, {}, 0, group, norms);
}

template <class Real>
void CudaAlgebra<Real>::dual_norms(ConstView<Real> c, Real sign, ConstView<Real> g, Real weight,
                                   std::size_t group, std::span<double> norms) {
  begin_pass(2 * c.size());
  auto* const on_device = reinterpret_cast<double*>(scratch(norms.size_bytes()));
  launch(norms_of_groups<Real>, blocks_for(norms.size(), groups_per_block),
         dim3(32, groups_per_block), 0, stream_.get(), c, sign, g, weight, group, on_device);
  fetch(on_device, norms);
}

template class CudaAlgebra<float>;
template class CudaAlgebra<double>;

}  // namespace secondorder::cuda
