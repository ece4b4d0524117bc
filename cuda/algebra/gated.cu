// Products with gated features, F·U = Σᵢ Dᵢ·X·Uᵢ. A dense product makes or takes the activations of
// a tile, samples × neurons; one pass beside it applies the masks and, forwards, sums up. That is
// n·P·c·r multiplications at the rate of cuBLAS and n·P·c elements written and read once.
#include "algebra/device_algebra.hpp"
#include "algebra/for_elements.hpp"
#include "algebra/gate_columns.hpp"
#include "algebra/row_sums.hpp"

namespace secondorder::cuda {

namespace {

/// y = D∘r: column (gate, output) of y is that output of r where the gate is open. With the
/// features of x in place of the outputs of r, y is the rows of F.
template <class Real>
struct MaskOutputs {
  GateColumns columns;
  ConstView<Real> r;
  View<Real> y;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    bool open[width];
    unsigned output[width];
    columns.template at<width>(i, j, open, output);
    const Real* const from = r.row(i);
    Pack<Real, width> pack;
#pragma unroll
    for (int k = 0; k < width; ++k) pack.at[k] = open[k] ? from[output[k]] : Real(0);
    store(y.row(i) + j, pack);
  }
};

constexpr unsigned overlap_tile = 64;  ///< rows and columns of the kernel that a block counts
constexpr unsigned overlap_words = 16;
constexpr unsigned overlap_threads = 16;  ///< each way

/// m(k, l) = scale·|open in both rows k and l|·m(k, l) for l ≤ k, and + shift on the diagonal.
/// Counting bits costs 32 gates an instruction; as a product of 0/1 numbers it would be one a
/// multiplication, four times the time even at the full rate of float32, and more memory.
template <class Real>
__global__ void overlaps(GateBits gates, Real scale, Real shift, View<Real> m) {
  if (blockIdx.x > blockIdx.y) return;
  __shared__ std::uint64_t left[overlap_tile][overlap_words + 1];
  __shared__ std::uint64_t right[overlap_tile][overlap_words + 1];
  constexpr unsigned each = overlap_tile / overlap_threads;
  const std::size_t first_row = std::size_t{blockIdx.y} * overlap_tile;
  const std::size_t first_col = std::size_t{blockIdx.x} * overlap_tile;
  const std::size_t words = gates.stride();
  const unsigned thread = threadIdx.y * overlap_threads + threadIdx.x;
  int open[each][each] = {};
  for (std::size_t done = 0; done < words; done += overlap_words) {
    for (unsigned e = thread; e < overlap_tile * overlap_words;
         e += overlap_threads * overlap_threads) {
      const unsigned row = e / overlap_words, word = e % overlap_words;
      const bool inside = done + word < words;
      left[row][word] =
          inside && first_row + row < gates.rows ? gates.row(first_row + row)[done + word] : 0;
      right[row][word] =
          inside && first_col + row < gates.rows ? gates.row(first_col + row)[done + word] : 0;
    }
    __syncthreads();
#pragma unroll 4
    for (unsigned word = 0; word < overlap_words; ++word) {
      std::uint64_t a[each], b[each];
#pragma unroll
      for (unsigned k = 0; k < each; ++k) {
        a[k] = left[threadIdx.y + k * overlap_threads][word];
        b[k] = right[threadIdx.x + k * overlap_threads][word];
      }
#pragma unroll
      for (unsigned k = 0; k < each; ++k) {
#pragma unroll
        for (unsigned l = 0; l < each; ++l) open[k][l] += __popcll(a[k] & b[l]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (unsigned k = 0; k < each; ++k) {
    const std::size_t row = first_row + threadIdx.y + k * overlap_threads;
#pragma unroll
    for (unsigned l = 0; l < each; ++l) {
      const std::size_t col = first_col + threadIdx.x + l * overlap_threads;
      if (row >= m.rows || col > row) continue;
      Real& place = m.row(row)[col];
      place = place * (scale * static_cast<Real>(open[k][l])) + (row == col ? shift : Real(0));
    }
  }
}

/// Samples whose features are laid out at once for gated_gram, within some 10 ms of work.
std::size_t gram_rows(std::size_t rows, std::size_t unknowns, std::size_t elements) {
  const double operations = static_cast<double>(unknowns) * static_cast<double>(unknowns);
  const auto timely = static_cast<std::size_t>(4e11 / std::max(operations, 1.0));
  const std::size_t fitting = elements / std::max<std::size_t>(unknowns, 1);
  return std::clamp<std::size_t>(std::min(fitting, timely), 1, std::max<std::size_t>(rows, 1));
}

}  // namespace

/// W = X·Uᵀ for a tile.
template <class Real>
void CudaAlgebra<Real>::activations(ConstView<Real> x, ConstView<Real> u, const Tile& tile,
                                    View<Real> w, bool exact) {
  if (x.cols == 0) return fill(w, 0);
  begin(2.0 * static_cast<double>(w.size()) * static_cast<double>(x.cols), 0);
  blas_.multiply(1, x.block(tile.first_row, tile.rows), Transpose::no,
                 u.block(tile.first_column, tile.columns), Transpose::yes, 0, w,
                 !exact && settings_.products == Products::tf32);
}

/// Rows of g = Yᵀ·X for a tile, over the samples of all tiles before it too.
template <class Real>
void CudaAlgebra<Real>::adjoint(ConstView<Real> y, ConstView<Real> x, const Tile& tile,
                                View<Real> g) {
  if (x.cols == 0) return;
  begin(2.0 * static_cast<double>(y.size()) * static_cast<double>(x.cols), 0);
  blas_.multiply(1, y, Transpose::yes, x.block(tile.first_row, tile.rows), Transpose::no,
                 tile.first_row == 0 ? 0 : 1, g.block(tile.first_column, tile.columns),
                 settings_.products == Products::tf32);
}

template <class Real>
void CudaAlgebra<Real>::gated_forward(ConstView<Real> x, GateBits gates, ConstView<Real> u,
                                      View<Real> out) {
  const std::size_t outputs = out.cols;
  const Tiles all = tiles(x.rows, u.rows, forward_unit(outputs));
  if (all.across() == 0) return fill(out, 0);
  std::byte* const memory = scratch(all.elements() * sizeof(Real));
  for (std::size_t part = 0; part < all.down(); ++part) {
    for (std::size_t column = 0; column < all.across(); ++column) {
      const Tile tile = all.at(part, column);
      const View<Real> w = tile_view(tile, memory);
      activations(x, u, tile, w);
      sum_rows<Activation::gated, Real>(stream_.get(), {gates, outputs, tile}, outputs, w, 1,
                                        column == 0, out.block(tile.first_row, tile.rows), nullptr);
    }
  }
}

template <class Real>
void CudaAlgebra<Real>::gated_adjoint(ConstView<Real> x, GateBits gates, ConstView<Real> r,
                                      View<Real> g) {
  if (x.rows == 0) return fill(g, 0);
  const Tiles all = tiles(x.rows, g.rows, adjoint_unit);
  std::byte* const memory = scratch(all.elements() * sizeof(Real));
  all.down_each_column([&](const Tile& tile) {
    const View<Real> y = tile_view(tile, memory);
    for_elements<Real>(
        stream_.get(), Extent::of(y),
        MaskOutputs<Real>{{gates, r.cols, tile}, r.block(tile.first_row, tile.rows), y});
    adjoint(y, x, tile, g);
  });
}

template <class Real>
void CudaAlgebra<Real>::gate_kernel(GateBits gates, Real scale, Real shift, View<Real> m) {
  const unsigned tiles = blocks_for(m.rows, overlap_tile);
  begin(static_cast<double>(m.size()) * static_cast<double>(gates.stride()), 0);
  launch(overlaps<Real>, dim3(tiles, tiles), dim3(overlap_threads, overlap_threads), 0,
         stream_.get(), gates, scale, shift, m);
}

template <class Real>
std::size_t CudaAlgebra<Real>::gram_scratch_bytes(const GatedShape& s) const {
  const std::size_t unknowns = s.gates * s.features;
  return gram_rows(s.rows, unknowns, settings_.tile_bytes / sizeof(Real)) * unknowns * sizeof(Real);
}

/// G = Σ over parts of the samples of F[part]ᵀ·F[part], F laid out part by part.
template <class Real>
void CudaAlgebra<Real>::gated_gram(ConstView<Real> x, GateBits gates, View<Real> g) {
  const std::size_t unknowns = g.rows;
  if (x.rows == 0) return fill(g, 0);
  const std::size_t longest = gram_rows(x.rows, unknowns, settings_.tile_bytes / sizeof(Real));
  std::byte* const memory = scratch(longest * unknowns * sizeof(Real));
  for (std::size_t first = 0; first < x.rows; first += longest) {
    const Tile tile{first, std::min(longest, x.rows - first), 0, unknowns, unknowns};
    const View<Real> f = tile_view(tile, memory);
    begin(static_cast<double>(f.size()) * static_cast<double>(unknowns), 0);
    for_elements<Real>(stream_.get(), Extent::of(f),
                       MaskOutputs<Real>{{gates, x.cols, tile}, x.block(first, tile.rows), f});
    blas_.gram(1, f, first == 0 ? 0 : 1, g);
  }
}

template class CudaAlgebra<float>;
template class CudaAlgebra<double>;

}  // namespace secondorder::cuda
