// Dense products and factorizations: tiles of single-threaded BLAS, handed to the team.
#include <cmath>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/cpu_algebra.hpp"

namespace secondorder {

namespace {

constexpr std::size_t tile = 512;
constexpr std::size_t factor_block = 256;
/// Terms of a sum that a tile takes at once: some 10 ms of work.
constexpr std::size_t inner_block = 2048;

CBLAS_TRANSPOSE blas_transpose(Transpose op) {
  return op == Transpose::yes ? CblasTrans : CblasNoTrans;
}

}  // namespace

template <class Real>
void CpuAlgebra<Real>::multiply(Real alpha, ConstView<Real> a, Transpose op_a, ConstView<Real> b,
                                Transpose op_b, Real beta, View<Real> c) {
  const std::size_t inner = op_a == Transpose::no ? a.cols : a.rows;
  const Split rows = Split::of(c.rows, tile), cols = Split::of(c.cols, tile);
  const double operations = 2.0 * static_cast<double>(c.size()) * static_cast<double>(inner);
  parallel(rows.parts * cols.parts, operations, [&](std::size_t part, int) {
    const std::size_t i = rows.begin(part / cols.parts), j = cols.begin(part % cols.parts);
    const std::size_t m = rows.end(part / cols.parts) - i, n = cols.end(part % cols.parts) - j;
    const Real* left = op_a == Transpose::no ? a.row(i) : a.data + i;
    const Real* right = op_b == Transpose::no ? b.data + j : b.row(j);
    std::size_t done = 0;
    do {
      if (done > 0) pool_.checkpoint();
      const std::size_t terms = std::min(inner_block, inner - done);
      const Real* from = left + done * (op_a == Transpose::no ? 1 : a.stride);
      const Real* with = right + done * (op_b == Transpose::no ? b.stride : 1);
      const Real keep = done == 0 ? beta : Real(1);
      if (op_b == Transpose::no) {
        blas::multiply_columns(blas_transpose(op_a), m, n, terms, alpha, from, a.stride, with,
                               b.stride, keep, c.row(i) + j, c.stride);
      } else {
        blas::gemm(blas_transpose(op_a), blas_transpose(op_b), m, n, terms, alpha, from, a.stride,
                   with, b.stride, keep, c.row(i) + j, c.stride);
      }
      done += terms;
    } while (done < inner);
  });
}

/// Right-looking, block by block: factor the diagonal block, solve the panel below it, subtract the
/// panel's outer product from the rest.
template <class Real>
bool CpuAlgebra<Real>::cholesky(View<Real> a) {
  const std::size_t n = a.rows;
  for (std::size_t k = 0; k < n; k += factor_block) {
    const std::size_t width = std::min(factor_block, n - k);
    if (!blas::potrf(width, a.row(k) + k, a.stride)) return false;
    for (std::size_t i = k; i < k + width; ++i) {  // LAPACK lets NaNs pass
      if (!std::isfinite(a.row(i)[i])) return false;
    }
    const std::size_t below = k + width, rest = n - below;
    const Split rows = Split::of(rest, factor_block);
    const double panel = static_cast<double>(rest * width) * static_cast<double>(width);
    parallel(rows.parts, panel, [&](std::size_t part, int) {
      const std::size_t first = below + rows.begin(part);
      blas::trsm(CblasRight, CblasTrans, rows.end(part) - rows.begin(part), width, a.row(k) + k,
                 a.stride, a.row(first) + k, a.stride);
    });
    const std::size_t tiles = rows.parts * (rows.parts + 1) / 2;
    parallel(tiles, panel * static_cast<double>(rest), [&](std::size_t index, int) {
      const auto [i, j] = LowerTile::numbered(index);
      const std::size_t row = below + rows.begin(i), col = below + rows.begin(j);
      blas::gemm(CblasNoTrans, CblasTrans, rows.end(i) - rows.begin(i), rows.end(j) - rows.begin(j),
                 width, Real(-1), a.row(row) + k, a.stride, a.row(col) + k, a.stride, Real(1),
                 a.row(row) + col, a.stride);
    });
  }
  return true;
}

template <class Real>
void CpuAlgebra<Real>::block_solve(Transpose op, ConstView<Real> l, View<Real> b) {
  const Split columns = Split::of(b.cols, tile);
  const double operations = static_cast<double>(l.rows * l.rows * b.cols);
  parallel(columns.parts, operations, [&](std::size_t part, int) {
    const std::size_t first = columns.begin(part), count = columns.end(part) - first;
    if (b.cols == 1) {
      blas::trsv(blas_transpose(op), l.rows, l.data, l.stride, b.data, b.stride);
    } else {
      blas::trsm(CblasLeft, blas_transpose(op), l.rows, count, l.data, l.stride, b.data + first,
                 b.stride);
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::subtract_product(Transpose op, ConstView<Real> a, ConstView<Real> b,
                                        View<Real> c) {
  const std::size_t inner = b.rows;
  const Split rows = Split::of(c.rows, tile), columns = Split::of(c.cols, tile);
  const double operations = 2.0 * static_cast<double>(c.size()) * static_cast<double>(inner);
  parallel(rows.parts * columns.parts, operations, [&](std::size_t part, int) {
    const std::size_t i = rows.begin(part / columns.parts);
    const std::size_t j = columns.begin(part % columns.parts);
    const std::size_t m = rows.end(part / columns.parts) - i;
    const std::size_t n = columns.end(part % columns.parts) - j;
    const Real* left = op == Transpose::no ? a.row(i) : a.data + i;
    blas::multiply_columns(blas_transpose(op), m, n, inner, Real(-1), left, a.stride, b.data + j,
                           b.stride, Real(1), c.row(i) + j, c.stride);
  });
}

/// Forward substitution, block by block.
template <class Real>
void CpuAlgebra<Real>::lower_solve(ConstView<Real> l, View<Real> b) {
  for (std::size_t k = 0; k < l.rows; k += factor_block) {
    const std::size_t width = std::min(factor_block, l.rows - k), below = k + width;
    const std::size_t rest = l.rows - below;
    block_solve(Transpose::no, l.block(k, width).columns(k, width), b.block(k, width));
    subtract_product(Transpose::no, l.block(below, rest).columns(k, width), b.block(k, width),
                     b.block(below, rest));
  }
}

/// Then backward substitution, from the last block to the first.
template <class Real>
void CpuAlgebra<Real>::cholesky_solve(ConstView<Real> l, View<Real> b) {
  lower_solve(l, b);
  for (std::size_t k = divide_up(l.rows, factor_block) * factor_block; k > 0;) {
    k -= factor_block;
    const std::size_t width = std::min(factor_block, l.rows - k);
    block_solve(Transpose::yes, l.block(k, width).columns(k, width), b.block(k, width));
    subtract_product(Transpose::yes, l.block(k, width).columns(0, k), b.block(k, width),
                     b.block(0, k));
  }
}

template <class Real>
void CpuAlgebra<Real>::symmetrize(View<Real> a) {
  const Split rows = Split::of(a.rows, 64);
  parallel(rows.parts, static_cast<double>(a.size()), [&](std::size_t part, int) {
    for (std::size_t j = 0; j < a.rows; j += 64) {
      for (std::size_t i = rows.begin(part); i < rows.end(part); ++i) {
        const std::size_t last = std::min(a.rows, j + 64);
        for (std::size_t l = std::max(j, i + 1); l < last; ++l) a.row(i)[l] = a.row(l)[i];
      }
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::add_to_diagonal(ConstView<Real> diagonal, View<Real> a) {
  for (std::size_t i = 0; i < a.rows; ++i) a.row(i)[i] += diagonal.data[i];
}

template class CpuAlgebra<float>;
template class CpuAlgebra<double>;

}  // namespace secondorder
