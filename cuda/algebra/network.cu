// Two-layer ReLU networks: activations, and what flows back through them.
#include "algebra/device_algebra.hpp"
#include "algebra/for_elements.hpp"

namespace secondorder::cuda {

namespace {

template <class Real>
struct ScaleRows {
  ConstView<Real> scale;
  View<Real> a;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    const Real factor = scale.row(i)[0];
    Pack<Real, width> pack = load<width>(a.row(i) + j);
#pragma unroll
    for (int k = 0; k < width; ++k) pack.at[k] *= factor;
    store(a.row(i) + j, pack);
  }
};

template <class Real>
struct Rectify {
  View<Real> a;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    Pack<Real, width> pack = load<width>(a.row(i) + j);
#pragma unroll
    for (int k = 0; k < width; ++k) pack.at[k] = pack.at[k] > 0 ? pack.at[k] : Real(0);
    store(a.row(i) + j, pack);
  }
};

/// z(k, j) = 1[z(k, j) > 0]·(gₖ·aⱼ): outputs are few, and their numbers stay in the cache.
template <class Real>
struct Backpropagate {
  ConstView<Real> g, a;
  View<Real> z;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    Pack<Real, width> pack = load<width>(z.row(i) + j);
    const Real* const from = g.row(i);
#pragma unroll
    for (int k = 0; k < width; ++k) {
      Real sum = 0;
      for (std::size_t o = 0; o < g.cols; ++o) sum += from[o] * a.row(j + k)[o];
      pack.at[k] = pack.at[k] > 0 ? sum : Real(0);
    }
    store(z.row(i) + j, pack);
  }
};

/// Each row over its norm, a warp for a row; rows of zeros stay.
template <class Real>
__global__ void normalize(View<Real> a) {
  const std::size_t row = std::size_t{blockIdx.x} * rows_per_block + threadIdx.y;
  if (row >= a.rows) return;
  Real* const values = a.row(row);
  double squares = 0;
  for (std::size_t j = threadIdx.x; j < a.cols; j += 32) {
    squares += static_cast<double>(values[j]) * static_cast<double>(values[j]);
  }
  squares = warp_sum(squares);
  if (!(squares > 0)) return;
  const Real factor = static_cast<Real>(1 / sqrt(squares));
  for (std::size_t j = threadIdx.x; j < a.cols; j += 32) values[j] *= factor;
}

/// Bits of 64 gates from a tile of activations, a warp for a word: lane l has gates l and 32 + l.
template <class Real>
__global__ void signs_to_bits(ConstView<Real> w, std::size_t first_row, std::size_t first_gate,
                              GateBits gates) {
  const std::size_t row = std::size_t{blockIdx.x} * rows_per_block + threadIdx.y;
  if (row >= w.rows) return;
  const std::size_t word = blockIdx.y, low = word * 64 + threadIdx.x, high = low + 32;
  const unsigned lower = __ballot_sync(0xFFFFFFFFU, low < w.cols && w.row(row)[low] >= 0);
  const unsigned upper = __ballot_sync(0xFFFFFFFFU, high < w.cols && w.row(row)[high] >= 0);
  if (threadIdx.x != 0) return;
  gates.row(first_row + row)[first_gate / 64 + word] = (std::uint64_t{upper} << 32) | lower;
}

}  // namespace

template <class Real>
void CudaAlgebra<Real>::scale_rows(ConstView<Real> scale, View<Real> a) {
  begin_pass(2 * a.size());
  for_elements<Real>(stream_.get(), Extent::of(a), ScaleRows<Real>{scale, a});
}

template <class Real>
void CudaAlgebra<Real>::normalize_rows(View<Real> a) {
  begin_pass(3 * a.size());
  launch(normalize<Real>, blocks_for(a.rows, rows_per_block), dim3(32, rows_per_block), 0,
         stream_.get(), a);
}

template <class Real>
void CudaAlgebra<Real>::rectify(View<Real> a) {
  begin_pass(2 * a.size());
  for_elements<Real>(stream_.get(), Extent::flat(a), Rectify<Real>{a});
}

template <class Real>
void CudaAlgebra<Real>::backpropagate(ConstView<Real> g, ConstView<Real> a, View<Real> z) {
  begin(2.0 * static_cast<double>(z.size()) * static_cast<double>(g.cols),
        static_cast<double>(2 * z.size() * sizeof(Real)));
  for_elements<Real>(stream_.get(), Extent::of(z), Backpropagate<Real>{g, a, z});
}

template <class Real>
void CudaAlgebra<Real>::open_gates(ConstView<Real> x, ConstView<Real> u, GateBits gates) {
  const Tiles all = tiles(x.rows, u.rows, 64);
  std::byte* const place = scratch(all.elements() * sizeof(Real));
  all.down_each_column([&](const Tile& tile) {
    const View<Real> w = tile_view(tile, place);
    activations(x, u, tile, w, true);
    launch(signs_to_bits<Real>,
           dim3(blocks_for(tile.rows, rows_per_block), blocks_for(tile.columns, 64)),
           dim3(32, rows_per_block), 0, stream_.get(), w, tile.first_row, tile.first_column, gates);
  });
}

template class CudaAlgebra<float>;
template class CudaAlgebra<double>;

}  // namespace secondorder::cuda
