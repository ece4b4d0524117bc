// Products with gated features. F is a Khatri–Rao product of the bits D and the rows of X, so
// F·U contracts T = D·U with X row by row, and Fᵀ·R is Dᵀ times the row-wise outer products of R
// and X: both need only sums chosen by bits (gate_product), never n·P·r multiplications.
#include <cstring>

#include "algebra/cpu/bit_transpose.hpp"
#include "algebra/cpu/cpu_algebra.hpp"

namespace secondorder {

namespace {

constexpr std::size_t forward_rows = 512;
constexpr std::size_t forward_columns = 512;
constexpr std::size_t adjoint_rows = 1024;

/// Whole outputs of r columns each that a forward panel takes at once.
std::size_t outputs_per_panel(std::size_t features) {
  return std::max<std::size_t>(1, forward_columns / std::max<std::size_t>(features, 1));
}

/// Row splits of gated_forward, and the padded columns of a panel.
template <class Real>
struct ForwardTiles {
  Split rows;
  std::size_t outputs, stride;
  ForwardTiles(std::size_t n, std::size_t features, std::size_t all_outputs)
      : rows(Split::of(n, forward_rows)),
        outputs(std::min(outputs_per_panel(features), all_outputs)),
        stride(round_up(outputs * features, panel_width<Real>)) {}
  std::size_t scratch() const { return rows.longest() * stride; }
};

template <class Real>
constexpr std::size_t adjoint_columns = 2 * panel_width<Real>;

/// Row splits and column panels of gated_adjoint.
template <class Real>
struct AdjointTiles {
  Split rows;
  std::size_t panels;
  AdjointTiles(std::size_t n, std::size_t columns)
      : panels(divide_up(columns, adjoint_columns<Real>)) {
    rows = adjoint_splits(n, panels, 2048);
  }
  std::size_t parts() const { return rows.parts * panels; }
};

/// Elements of scratch for a chunk of outer products, and for its transposed bits after them.
template <class Real>
std::size_t adjoint_scratch(std::size_t gates) {
  return adjoint_rows * adjoint_columns<Real> +
         gates * GateBits::words_per_row(adjoint_rows) * sizeof(std::uint64_t) / sizeof(Real);
}

/// What gated_gram lays out for gates up to one: bits of a chunk of its open rows, the same
/// transposed, products of the rows' features, and sums of those by gate.
template <class Real>
struct GramBlocks {
  static constexpr std::size_t chunk = 512;
  std::size_t words, count, pairs, padded;

  GramBlocks(std::size_t features, std::size_t gates)  // whole words: the lower triangle and more
      : words(GateBits::words_per_row(gates)),
        count(gates),
        pairs(features * (features + 1) / 2),
        padded(round_up(pairs, panel_width<Real>)) {}
  std::size_t bit_words() const { return round_up(chunk * words + count * (chunk / 64), 8); }
  std::size_t bytes() const {
    return bit_words() * sizeof(std::uint64_t) + (chunk + count) * padded * sizeof(Real);
  }
};

double gated_operations(std::size_t n, std::size_t gates, std::size_t columns) {
  return 0.5 * static_cast<double>(n) * static_cast<double>(gates) * static_cast<double>(columns);
}

/// k (rows × panel) = the columns [first, first + count) of the row-wise outer products r ⊗ x.
template <class Real>
void outer_rows(const Kernels<Real>& kernels, ConstView<Real> x, ConstView<Real> r,
                std::size_t first, std::size_t count, Real* k, std::size_t stride) {
  for (std::size_t row = 0; row < x.rows; ++row) {
    Real* to = k + row * stride;
    for (std::size_t done = 0; done < count;) {
      const std::size_t output = (first + done) / x.cols, from = (first + done) % x.cols;
      const std::size_t length = std::min(x.cols - from, count - done);
      kernels.scaled_copy(r.row(row)[output], x.row(row) + from, length, to + done);
      done += length;
    }
    std::fill(to + count, to + round_up(count, panel_width<Real>), Real(0));
  }
}

}  // namespace

template <class Real>
ScratchBytes CpuAlgebra<Real>::gated_scratch(const GatedShape& s) {
  const ForwardTiles<Real> forward(s.rows, s.features, s.outputs);
  const AdjointTiles<Real> adjoint(s.rows, s.outputs * s.features);
  return {std::max(forward.scratch(), adjoint_scratch<Real>(s.gates)) * sizeof(Real),
          adjoint.parts() * s.gates * adjoint_columns<Real> * sizeof(Real)};
}

template <class Real>
std::size_t CpuAlgebra<Real>::gram_scratch_bytes(const GatedShape& s) const {
  return GramBlocks<Real>(s.features, s.gates).bytes() * thread_scratch_.size();
}

template <class Real>
void CpuAlgebra<Real>::gated_forward(ConstView<Real> x, GateBits gates, ConstView<Real> u,
                                     View<Real> out) {
  const std::size_t r = x.cols, c = out.cols, columns = c * r;
  const ForwardTiles<Real> tiles(x.rows, r, c);
  const Split& rows = tiles.rows;
  const std::size_t outputs = tiles.outputs, stride = tiles.stride;
  parallel(rows.parts, gated_operations(x.rows, gates.gates, columns),
           [&](std::size_t part, int thread) {
             Real* t = thread_scratch<Real>(thread, tiles.scratch());
             const std::size_t first = rows.begin(part), count = rows.end(part) - first;
             for (std::size_t o = 0; o < c; o += outputs) {
               const std::size_t taken = std::min(outputs, c - o);
               kernels_.gate_product(gates.block(first, count), u.data + o * r, columns, taken * r,
                                     false, t, stride);
               for (std::size_t k = 0; k < count; ++k) {
                 for (std::size_t j = 0; j < taken; ++j) {
                   out.row(first + k)[o + j] =
                       kernels_.dot(t + k * stride + j * r, x.row(first + k), r);
                 }
               }
             }
             if (gates.gates == 0) {
               for (std::size_t k = 0; k < count; ++k) std::fill_n(out.row(first + k), c, Real(0));
             }
           });
}

template <class Real>
void CpuAlgebra<Real>::gated_adjoint(ConstView<Real> x, GateBits gates, ConstView<Real> r,
                                     View<Real> g) {
  const std::size_t columns = r.cols * x.cols;
  constexpr std::size_t panel = adjoint_columns<Real>;
  const AdjointTiles<Real> tiles(x.rows, columns);
  const std::size_t size = gates.gates * panel;
  Real* partial = shared_scratch<Real>(tiles.parts() * size);
  parallel(tiles.parts(), gated_operations(x.rows, gates.gates, columns),
           [&](std::size_t part, int thread) {
             const std::size_t split = part / tiles.panels, first = part % tiles.panels * panel;
             const std::size_t count = std::min(panel, columns - first);
             Real* sum = partial + part * size;
             std::fill_n(sum, size, Real(0));
             Real* k = thread_scratch<Real>(thread, adjoint_scratch<Real>(gates.gates));
             auto* words = reinterpret_cast<std::uint64_t*>(k + adjoint_rows * panel);
             for (std::size_t row = tiles.rows.begin(split); row < tiles.rows.end(split);
                  row += adjoint_rows) {
               const std::size_t rows = std::min(adjoint_rows, tiles.rows.end(split) - row);
               outer_rows(kernels_, x.block(row, rows), r.block(row, rows), first, count, k, panel);
               const GateBits transposed{words, gates.gates, rows};
               transpose_bits(gates.block(row, rows), transposed);
               kernels_.gate_product(transposed, k, panel, count, true, sum, panel);
             }
           });
  for_rows(gates.gates, columns * tiles.rows.parts, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      for (std::size_t j = 0; j < columns; ++j) {
        Real sum = 0;
        for (std::size_t split = 0; split < tiles.rows.parts; ++split) {
          sum += partial[(split * tiles.panels + j / panel) * size + i * panel + j % panel];
        }
        g.data[i * columns + j] = sum;
      }
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::gate_kernel(GateBits gates, Real scale, Real shift, View<Real> m) {
  const Split rows = Split::of(m.rows, 64);
  const double operations = static_cast<double>(m.size()) * static_cast<double>(gates.stride());
  parallel(rows.parts, operations, [&](std::size_t part, int) {
    for (std::size_t k = rows.begin(part); k < rows.end(part); ++k) {
      kernels_.gate_overlap(gates.row(k), gates, k + 1, scale, m.row(k));
      m.row(k)[k] += shift;
    }
  });
}

/// Gate by gate: over the rows open at i, Dᵀ times the products xₐxᵦ (a ≤ b) of each row gives
/// the upper triangles of all blocks (i, j) at once.
template <class Real>
void CpuAlgebra<Real>::gated_gram(ConstView<Real> x, GateBits gates, View<Real> g) {
  const std::size_t r = x.cols, stride = gates.stride();
  constexpr std::size_t chunk = GramBlocks<Real>::chunk;
  parallel(gates.gates, gated_operations(x.rows, gates.gates, r * (r + 1) / 2 * gates.gates),
           [&](std::size_t i, int thread) {
             const GramBlocks<Real> sizes(r, std::min((i / 64 + 1) * 64, gates.gates));
             const std::size_t words = sizes.words, count = sizes.count;
             const std::size_t pairs = sizes.pairs, padded = sizes.padded;
             auto* bits =
                 reinterpret_cast<std::uint64_t*>(thread_scratch<std::byte>(thread, sizes.bytes()));
             std::uint64_t* turned = bits + chunk * words;
             Real* products = reinterpret_cast<Real*>(bits + sizes.bit_words());
             Real* blocks = products + chunk * padded;
             std::fill_n(blocks, count * padded, Real(0));
             std::size_t filled = 0;
             const auto flush = [&] {
               if (filled == 0) return;
               pool_.checkpoint();
               const GateBits transposed{turned, count, filled};
               transpose_bits({bits, filled, count}, transposed);
               kernels_.gate_product(transposed, products, padded, pairs, true, blocks, padded);
               filled = 0;
             };
             for (std::size_t k = 0; k < x.rows; ++k) {
               if (!gates.test(k, i)) continue;
               std::memcpy(bits + filled * words, gates.words + k * stride,
                           words * sizeof(std::uint64_t));
               Real* to = products + filled * padded;
               for (std::size_t a = 0; a < r; ++a) {
                 kernels_.scaled_copy(x.row(k)[a], x.row(k) + a, r - a, to);
                 to += r - a;
               }
               std::fill(to, products + (filled + 1) * padded, Real(0));
               if (++filled == chunk) flush();
             }
             flush();
             for (std::size_t j = 0; j <= i; ++j) {
               const Real* from = blocks + j * padded;
               for (std::size_t a = 0; a < r; ++a) {
                 for (std::size_t b = a; b < r; ++b, ++from) {
                   g.row(i * r + a)[j * r + b] = *from;
                   g.row(i * r + b)[j * r + a] = *from;
                 }
               }
             }
           });
}

template class CpuAlgebra<float>;
template class CpuAlgebra<double>;

}  // namespace secondorder
