// Products with the cone matrices Eᵢ·X, E = 2D − I. The cone variable q is read and written once by
// each operation, beside the activations of a tile (gated.cu).
#include "algebra/device_algebra.hpp"
#include "algebra/for_elements.hpp"
#include "algebra/gate_columns.hpp"
#include "algebra/row_sums.hpp"

namespace secondorder::cuda {

namespace {

/// y = E∘part(q)
template <class Real>
struct SignPart {
  GateColumns columns;
  ConePart part;
  ConstView<Real> q;
  View<Real> y;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    bool open[width];
    unsigned output[width];
    columns.template at<width>(i, j, open, output);
    Pack<Real, width> pack = load<width>(q.row(i) + j);
#pragma unroll
    for (int k = 0; k < width; ++k) {
      const Real positive = part == ConePart::magnitude ? pack.at[k] : Real(0);
      const Real value = pack.at[k] < 0 ? -pack.at[k] : positive;
      pack.at[k] = open[k] ? value : -value;
    }
    store(y.row(i) + j, pack);
  }
};

/// q += relaxation·(E∘w − relu(q))
template <class Real>
struct RelaxCone {
  GateColumns columns;
  ConstView<Real> w;
  Real relaxation;
  View<Real> q;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    bool open[width];
    unsigned output[width];
    columns.template at<width>(i, j, open, output);
    const Pack<Real, width> values = load<width>(w.row(i) + j);
    Pack<Real, width> pack = load<width>(q.row(i) + j);
#pragma unroll
    for (int k = 0; k < width; ++k) {
      const Real s = pack.at[k] > 0 ? pack.at[k] : Real(0);
      pack.at[k] += relaxation * ((open[k] ? values.at[k] : -values.at[k]) - s);
    }
    store(q.row(i) + j, pack);
  }
};

template <class Real>
struct RescaleNegative {
  Real ratio;
  View<Real> q;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    Pack<Real, width> pack = load<width>(q.row(i) + j);
#pragma unroll
    for (int k = 0; k < width; ++k) pack.at[k] *= pack.at[k] < 0 ? ratio : Real(1);
    store(q.row(i) + j, pack);
  }
};

struct AddConeSums {
  const RowConeSums* rows;
  __device__ void operator()(std::size_t i, std::size_t, double* sums) const {
    sums[0] += rows[i].x;
    sums[1] += rows[i].y;
  }
};

template <class T>
View<T> part_of(View<T> q, const Tile& tile) {
  return q.block(tile.first_row, tile.rows).columns(tile.first_column, tile.columns);
}

}  // namespace

template <class Real>
void CudaAlgebra<Real>::cone_adjoint(ConstView<Real> x, GateBits gates, std::size_t outputs,
                                     ConstView<Real> q, ConePart part, View<Real> g) {
  if (x.rows == 0) return fill(g, 0);
  const Tiles all = tiles(x.rows, q.cols, adjoint_unit);
  std::byte* const memory = scratch(all.elements() * sizeof(Real));
  all.down_each_column([&](const Tile& tile) {
    const View<Real> y = tile_view(tile, memory);
    const ConstView<Real> from = part_of(q, tile);
    for_elements<Real>(stream_.get(), Extent::of(from, ConstView<Real>(y)),
                       SignPart<Real>{{gates, outputs, tile}, part, from, y});
    adjoint(y, x, tile, g);
  });
}

template <class Real>
void CudaAlgebra<Real>::cone_relax(ConstView<Real> x, GateBits gates, std::size_t outputs,
                                   ConstView<Real> u, Real relaxation, View<Real> q) {
  const Tiles all = tiles(x.rows, q.cols, adjoint_unit);
  std::byte* const memory = scratch(all.elements() * sizeof(Real));
  all.down_each_column([&](const Tile& tile) {
    const View<Real> w = tile_view(tile, memory), to = part_of(q, tile);
    activations(x, u, tile, w);
    for_elements<Real>(stream_.get(), Extent::of(w, to),
                       RelaxCone<Real>{{gates, outputs, tile}, w, relaxation, to});
  });
}

template <class Real>
void CudaAlgebra<Real>::cone_rescale(Real ratio, View<Real> q) {
  begin_pass(2 * q.size());
  for_elements<Real>(stream_.get(), Extent::flat(q), RescaleNegative<Real>{ratio, q});
}

/// Always in full precision: what it gives is an upper bound of the optimum.
template <class Real>
ConeSums CudaAlgebra<Real>::network_forward(ConstView<Real> x, GateBits gates, std::size_t sets,
                                            ConstView<Real> v, View<Real> out) {
  const std::size_t outputs = out.cols, set_rows = gates.gates * outputs;
  const Tiles all = tiles(x.rows, set_rows, forward_unit(outputs));
  if (all.across() == 0) {
    fill(out, 0);
    return {};
  }
  std::byte* const memory = scratch(network_bytes(x.rows, all));
  auto* const cones = reinterpret_cast<RowConeSums*>(memory);
  for (std::size_t part = 0; part < all.down(); ++part) {
    for (std::size_t set = 0; set < sets; ++set) {
      for (std::size_t column = 0; column < all.across(); ++column) {
        const Tile tile = all.at(part, column);
        const View<Real> w = tile_view(tile, memory + cone_sum_bytes(x.rows));
        activations(x, v.block(set * set_rows, set_rows), tile, w, true);
        sum_rows<Activation::relu, Real>(
            stream_.get(), {gates, outputs, tile}, outputs, w, set == 0 ? 1 : -1,
            set == 0 && column == 0, out.block(tile.first_row, tile.rows), cones + tile.first_row);
      }
    }
  }
  const std::array<double, 2> totals = sum<2>(x.rows, 1, AddConeSums{cones});
  return {totals[0], totals[1]};
}

template class CudaAlgebra<float>;
template class CudaAlgebra<double>;

}  // namespace secondorder::cuda
