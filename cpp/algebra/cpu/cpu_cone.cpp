// Products with the cone matrices Eᵢ·X: dense tiles of q, masked while they are in cache.
#include <cmath>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/cpu_algebra.hpp"

namespace secondorder {

namespace {

double cone_operations(std::size_t n, std::size_t features, std::size_t columns) {
  return 2.0 * static_cast<double>(n) * static_cast<double>(features) *
         static_cast<double>(columns);
}

/// Tiles of cone_adjoint, over columns and rows.
struct AdjointTiles {
  ConeTiles columns;
  Split rows;
  std::size_t chunk;  ///< rows that are masked at once
  std::size_t partial_size;

  AdjointTiles(std::size_t n, std::size_t features, const ConeTiles& tiles)
      : columns(tiles),
        rows(adjoint_splits(n, tiles.tiles, 512)),
        chunk(std::min(tile_rows(tiles.columns()), rows.longest())),
        partial_size(tiles.columns() * features) {}
  std::size_t parts() const { return columns.tiles * rows.parts; }
  /// Elements for a masked chunk, and a mask after it.
  std::size_t thread_scratch() const { return (chunk + 1) * columns.columns(); }
  std::size_t shared_scratch() const { return parts() * partial_size; }
};

/// Rows of a tile of cone_relax and network_forward.
Split row_tiles(std::size_t n, const ConeTiles& tiles) {
  return Split::of(n, tile_rows(tiles.columns()));
}

/// Elements for a tile of activations, and a mask after it.
std::size_t tile_scratch(const Split& rows, const ConeTiles& tiles) {
  return (rows.longest() + 1) * tiles.columns();
}

}  // namespace

template <class Real>
ScratchBytes CpuAlgebra<Real>::cone_scratch(const GatedShape& s) {
  const ConeTiles both(s.gates, s.outputs, s.sets), one(s.gates, s.outputs, 1);
  const AdjointTiles adjoint(s.rows, s.features, both);
  const Split network = row_tiles(s.rows, one);
  return {std::max({adjoint.thread_scratch(), tile_scratch(row_tiles(s.rows, both), both),
                    tile_scratch(network, one)}) *
              sizeof(Real),
          std::max(adjoint.shared_scratch() * sizeof(Real), network.parts * sizeof(ConeSums))};
}

template <class Real>
void CpuAlgebra<Real>::cone_adjoint(ConstView<Real> x, GateBits gates, std::size_t outputs,
                                    ConstView<Real> q, ConePart part, View<Real> g) {
  const std::size_t set_rows = gates.gates * outputs,
                    sets = q.cols / std::max<std::size_t>(set_rows, 1);
  const std::size_t r = x.cols;
  const AdjointTiles all(x.rows, r, {gates.gates, outputs, sets});
  const ConeTiles& tiles = all.columns;
  const Split& splits = all.rows;
  const std::size_t chunk = all.chunk, partial_size = all.partial_size;
  Real* partial = shared_scratch<Real>(all.shared_scratch());
  const auto signed_part =
      part == ConePart::magnitude ? kernels_.signed_magnitude : kernels_.signed_multiplier;

  parallel(all.parts(), cone_operations(x.rows, r, q.cols), [&](std::size_t index, int thread) {
    const std::size_t tile = index / splits.parts, split = index % splits.parts;
    const std::size_t gate = tiles.first_gate(tile);
    const std::size_t columns = tiles.gate_count(tile) * outputs;
    Real* y = thread_scratch<Real>(thread, all.thread_scratch());
    Real* mask = y + chunk * tiles.columns();
    Real* sum = partial + index * partial_size;
    std::fill_n(sum, columns * sets * r, Real(0));
    for (std::size_t row = splits.begin(split); row < splits.end(split); row += chunk) {
      pool_.checkpoint();
      const std::size_t rows = std::min(chunk, splits.end(split) - row);
      for (std::size_t k = 0; k < rows; ++k) {
        kernels_.expand_mask(gates.row(row + k) + gate / 64, tiles.gate_count(tile), outputs, mask);
        for (std::size_t s = 0; s < sets; ++s) {
          signed_part(mask, q.row(row + k) + s * set_rows + gate * outputs, columns,
                      y + k * columns * sets + s * columns);
        }
      }
      blas::gemm(CblasTrans, CblasNoTrans, columns * sets, r, rows, Real(1), y, columns * sets,
                 x.row(row), x.stride, Real(1), sum, r);
    }
  });

  for_rows(g.rows, r * splits.parts, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const std::size_t set = row / set_rows, column = row % set_rows;
      const std::size_t tile = column / outputs / tiles.gates_per_tile;
      const std::size_t columns = tiles.gate_count(tile) * outputs;
      const std::size_t within = set * columns + column - tiles.first_gate(tile) * outputs;
      const Real* from = partial + tile * splits.parts * partial_size + within * r;
      for (std::size_t j = 0; j < r; ++j) {
        Real sum = 0;
        for (std::size_t s = 0; s < splits.parts; ++s) sum += from[s * partial_size + j];
        g.row(row)[j] = sum;
      }
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::cone_relax(ConstView<Real> x, GateBits gates, std::size_t outputs,
                                  ConstView<Real> u, Real relaxation, View<Real> q) {
  const std::size_t set_rows = gates.gates * outputs,
                    sets = q.cols / std::max<std::size_t>(set_rows, 1);
  const ConeTiles tiles(gates.gates, outputs, sets);
  const Split rows = row_tiles(x.rows, tiles);
  parallel(rows.parts * tiles.tiles, cone_operations(x.rows, x.cols, q.cols),
           [&](std::size_t index, int thread) {
             const std::size_t tile = index % tiles.tiles, part = index / tiles.tiles;
             const std::size_t first = rows.begin(part), count = rows.end(part) - first;
             const std::size_t gate = tiles.first_gate(tile);
             const std::size_t columns = tiles.gate_count(tile) * outputs;
             Real* w = thread_scratch<Real>(thread, tile_scratch(rows, tiles));
             Real* mask = w + rows.longest() * tiles.columns();
             for (std::size_t s = 0; s < sets; ++s) {
               blas::gemm(CblasNoTrans, CblasTrans, count, columns, x.cols, Real(1), x.row(first),
                          x.stride, u.row(s * set_rows + gate * outputs), u.stride, Real(0),
                          w + s * columns, columns * sets);
             }
             for (std::size_t k = 0; k < count; ++k) {
               kernels_.expand_mask(gates.row(first + k) + gate / 64, tiles.gate_count(tile),
                                    outputs, mask);
               for (std::size_t s = 0; s < sets; ++s) {
                 kernels_.cone_relax(mask, w + (k * sets + s) * columns, relaxation, columns,
                                     q.row(first + k) + s * set_rows + gate * outputs);
               }
             }
           });
}

template <class Real>
void CpuAlgebra<Real>::cone_rescale(Real ratio, View<Real> q) {
  for_rows(q.rows, q.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t k = first; k < last; ++k) {
      Real* row = q.row(k);
      for (std::size_t j = 0; j < q.cols; ++j) row[j] *= row[j] < 0 ? ratio : Real(1);
    }
  });
}

template <class Real>
ConeSums CpuAlgebra<Real>::network_forward(ConstView<Real> x, GateBits gates, std::size_t sets,
                                           ConstView<Real> v, View<Real> out) {
  const std::size_t outputs = out.cols, set_rows = gates.gates * outputs;
  const ConeTiles tiles(gates.gates, outputs, 1);
  const Split rows = row_tiles(x.rows, tiles);
  auto* sums = shared_scratch<ConeSums>(rows.parts);
  std::fill_n(sums, rows.parts, ConeSums{});
  parallel(rows.parts, cone_operations(x.rows, x.cols, v.rows), [&](std::size_t part, int thread) {
    const std::size_t first = rows.begin(part), count = rows.end(part) - first;
    Real* w = thread_scratch<Real>(thread, tile_scratch(rows, tiles));
    Real* mask = w + rows.longest() * tiles.columns();
    for (std::size_t k = 0; k < count; ++k) std::fill_n(out.row(first + k), outputs, Real(0));
    for (std::size_t s = 0; s < sets; ++s) {
      for (std::size_t tile = 0; tile < tiles.tiles; ++tile) {
        const std::size_t gate = tiles.first_gate(tile), taken = tiles.gate_count(tile);
        const std::size_t columns = taken * outputs;
        // Output by output, so that each row of a tile belongs to one sum.
        for (std::size_t o = 0; o < outputs; ++o) {
          blas::gemm(CblasNoTrans, CblasTrans, count, taken, x.cols, Real(1), x.row(first),
                     x.stride, v.row(s * set_rows + gate * outputs + o), v.stride * outputs,
                     Real(0), w + o * taken, columns);
        }
        for (std::size_t k = 0; k < count; ++k) {
          kernels_.expand_mask(gates.row(first + k) + gate / 64, taken, 1, mask);
          for (std::size_t o = 0; o < outputs; ++o) {
            const double sum = kernels_.network_row(mask, w + k * columns + o * taken, taken,
                                                    &sums[part].violation, &sums[part].total);
            out.row(first + k)[o] += static_cast<Real>(s == 0 ? sum : -sum);
          }
        }
      }
    }
  });
  ConeSums total;
  for (std::size_t part = 0; part < rows.parts; ++part) {
    total.violation += sums[part].violation;
    total.total += sums[part].total;
  }
  return total;
}

template class CpuAlgebra<float>;
template class CpuAlgebra<double>;

}  // namespace secondorder
