// Dense products and factorizations. A Cholesky factor is made block by block, so that a request to
// stop never waits for more than a step, and keeps in the upper triangle of each diagonal block the
// inverse of the lower one, transposed: a solve with few right-hand sides, which memory bounds, is
// then products alone, two launches a block, where a triangular solve would be a chain of n steps.
#include "algebra/device_algebra.hpp"
#include "algebra/for_elements.hpp"
#include "algebra/reductions.hpp"

namespace secondorder::cuda {

namespace {

/// Right-hand sides up to which a solve is bound by reading the factor.
constexpr std::size_t few_columns = 16;

template <class Real>
struct Identity {
  View<Real> a;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    Pack<Real, width> pack;
#pragma unroll
    for (int k = 0; k < width; ++k) pack.at[k] = i == j + k ? Real(1) : Real(0);
    store(a.row(i) + j, pack);
  }
};

constexpr unsigned square = 32;

/// Strictly above the diagonal of a, the transpose of what `inverse` has below.
template <class Real>
__global__ void keep_inverse(ConstView<Real> inverse, View<Real> a) {
  if (blockIdx.x < blockIdx.y) return;
  __shared__ Real tile[square][square + 1];
  for (unsigned k = threadIdx.y; k < square; k += blockDim.y) {
    const std::size_t row = blockIdx.x * square + k, col = blockIdx.y * square + threadIdx.x;
    if (row < a.rows && col < row) tile[k][threadIdx.x] = inverse.row(row)[col];
  }
  __syncthreads();
  for (unsigned k = threadIdx.y; k < square; k += blockDim.y) {
    const std::size_t row = blockIdx.y * square + k, col = blockIdx.x * square + threadIdx.x;
    if (col < a.rows && row < col) a.row(row)[col] = tile[threadIdx.x][k];
  }
}

/// *failed = whether a block's factorization failed or a pivot isn't a positive number.
template <class Real>
__global__ void judge_pivots(ConstView<Real> a, const int* info, std::size_t parts, int* failed) {
  int bad = 0;
  for (std::size_t i = threadIdx.x; i < a.rows; i += blockDim.x) {
    const Real pivot = a.row(i)[i];
    if (!(pivot > 0 && pivot - pivot == 0)) bad = 1;
  }
  for (std::size_t i = threadIdx.x; i < parts; i += blockDim.x) bad |= info[i] != 0 ? 1 : 0;
  bad = __syncthreads_or(bad);
  if (threadIdx.x == 0) *failed = bad;
}

/// x = L⁻¹·b for a diagonal block with its inverse above the diagonal: a block of threads for 32
/// rows of x and one column.
template <class Real>
__global__ void apply_inverse(ConstView<Real> l, ConstView<Real> b, View<Real> x) {
  __shared__ Real partial[square][square + 1];
  const std::size_t i = std::size_t{blockIdx.x} * square + threadIdx.x, column = blockIdx.y;
  Real sum = 0;
  if (i < l.rows) {
#pragma unroll 4
    for (std::size_t j = threadIdx.y; j < i; j += square) sum += l.row(j)[i] * b.row(j)[column];
  }
  partial[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || i >= l.rows) return;
  sum = b.row(i)[column] / l.row(i)[i];
#pragma unroll 8
  for (unsigned k = 0; k < square; ++k) sum += partial[k][threadIdx.x];
  x.row(i)[column] = sum;
}

constexpr unsigned rows_of_transpose = 8;

/// x = L⁻ᵀ·b in the same way, a warp for each row of x.
template <class Real>
__global__ void apply_transposed_inverse(ConstView<Real> l, ConstView<Real> b, View<Real> x) {
  const std::size_t j = std::size_t{blockIdx.x} * rows_of_transpose + threadIdx.y;
  const std::size_t column = blockIdx.y;
  if (j >= l.rows) return;
  Real sum = 0;
#pragma unroll 4
  for (std::size_t i = j + 1 + threadIdx.x; i < l.rows; i += 32) {
    sum += l.row(j)[i] * b.row(i)[column];
  }
  sum = warp_sum(sum);
  if (threadIdx.x == 0) x.row(j)[column] = sum + b.row(j)[column] / l.row(j)[j];
}

constexpr unsigned rows_of_product = 8;

/// b −= A·x, one column: a warp for each row of A.
template <int width, class Real>
__global__ void subtract_product(ConstView<Real> a, ConstView<Real> x, View<Real> b) {
  const std::size_t i = std::size_t{blockIdx.x} * rows_of_product + threadIdx.y;
  if (i >= a.rows) return;
  Real sum = 0;
#pragma unroll 4
  for (std::size_t j = threadIdx.x * width; j < a.cols; j += 32 * width) {
    const Pack<Real, width> pack = load<width>(a.row(i) + j);
#pragma unroll
    for (int k = 0; k < width; ++k) sum += pack.at[k] * x.row(j + k)[0];
  }
  sum = warp_sum(sum);
  if (threadIdx.x == 0) b.row(i)[0] -= sum;
}

constexpr unsigned rows_at_once = 16;

/// b −= Aᵀ·x, one column: a block of threads for neighbouring columns of A, 16 rows at once. Each
/// thread has several loads under way, which a thread for each column, as of a general product,
/// would not have enough of to keep the memory busy.
template <int width, class Real>
__global__ void subtract_transposed_product(ConstView<Real> a, ConstView<Real> x, View<Real> b) {
  __shared__ Real partial[rows_at_once][32 * width];
  const std::size_t j = (std::size_t{blockIdx.x} * 32 + threadIdx.x) * width;
  Real sums[width] = {};
  if (j < a.cols) {
#pragma unroll 8
    for (std::size_t i = threadIdx.y; i < a.rows; i += rows_at_once) {
      const Pack<Real, width> pack = load<width>(a.row(i) + j);
      const Real factor = x.row(i)[0];
#pragma unroll
      for (int k = 0; k < width; ++k) sums[k] += pack.at[k] * factor;
    }
  }
#pragma unroll
  for (int k = 0; k < width; ++k) partial[threadIdx.y][threadIdx.x * width + k] = sums[k];
  __syncthreads();
  if (threadIdx.y != 0 || j >= a.cols) return;
#pragma unroll
  for (int k = 0; k < width; ++k) {
    Real sum = 0;
    for (unsigned part = 0; part < rows_at_once; ++part) {
      sum += partial[part][threadIdx.x * width + k];
    }
    b.row(j + k)[0] -= sum;
  }
}

double product_operations(std::size_t m, std::size_t n, std::size_t k) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

template <class T>
View<T> diagonal_block(View<T> a, std::size_t first, std::size_t width) {
  return a.block(first, width).columns(first, width);
}

}  // namespace

template <class Real>
void CudaAlgebra<Real>::multiply(Real alpha, ConstView<Real> a, Transpose op_a, ConstView<Real> b,
                                 Transpose op_b, Real beta, View<Real> c) {
  const std::size_t inner = op_a == Transpose::no ? a.cols : a.rows;
  if (c.size() == 0) return checkpoint();
  if (inner == 0) {
    if (beta == 0) return fill(c, 0);
    return axpby(0, c, beta, c);
  }
  // Parts of the rows of C of some 10 ms of work each, for checkpoints between them.
  const double row_operations = product_operations(1, c.cols, inner);
  const std::size_t most =
      std::max<std::size_t>(4096, static_cast<std::size_t>(4e11 / row_operations));
  for (std::size_t first = 0; first < c.rows; first += most) {
    const std::size_t rows = std::min(most, c.rows - first);
    begin(product_operations(rows, c.cols, inner),
          static_cast<double>((rows * inner + inner * c.cols) * sizeof(Real)));
    blas_.multiply(alpha, op_a == Transpose::no ? a.block(first, rows) : a.columns(first, rows),
                   op_a, b, op_b, beta, c.block(first, rows));
  }
}

template <class Real>
typename CudaAlgebra<Real>::FactorScratch CudaAlgebra<Real>::factor_scratch(
    std::size_t order) const {
  const std::size_t block = std::min(settings_.factor_block, order);
  if (block == 0) return {0, 0, 0};
  return {block, blas_.cholesky_work(block, sums_.as<Real>()), (order + block - 1) / block};
}

/// Right-looking: factor the diagonal block and invert it, solve the panel below, subtract the
/// panel's outer product from the rest, column block by column block.
template <class Real>
bool CudaAlgebra<Real>::cholesky(View<Real> a) {
  const std::size_t n = a.rows;
  if (n == 0) return true;
  const FactorScratch sizes = factor_scratch(n);
  auto* const memory = reinterpret_cast<Real*>(scratch(sizes.bytes()));
  Real* const work = memory + sizes.block * sizes.block;
  int* const failed = reinterpret_cast<int*>(work + sizes.work);
  int* const info = failed + 1;
  for (std::size_t k = 0; k < n; k += sizes.block) {
    const std::size_t width = std::min(sizes.block, n - k), below = k + width, rest = n - below;
    const View<Real> diagonal = diagonal_block(a, k, width), inverse(memory, width, width);
    const View<Real> panel = a.block(below, rest).columns(k, width);
    begin(product_operations(width, width, width), 0);
    blas_.cholesky(diagonal, work, sizes.work, info + k / sizes.block);
    for_elements<Real>(stream_.get(), Extent::of(inverse), Identity<Real>{inverse});
    blas_.solve(Side::left, Transpose::no, diagonal, inverse);
    const unsigned tiles = blocks_for(width, square);
    launch(keep_inverse<Real>, dim3(tiles, tiles), dim3(square, 8), 0, stream_.get(),
           ConstView<Real>(inverse), diagonal);
    if (rest == 0) break;
    begin(product_operations(rest, width, width) / 2, 0);
    blas_.solve(Side::right, Transpose::yes, diagonal, panel);
    for (std::size_t first = below; first < n; first += sizes.block) {
      const std::size_t columns = std::min(sizes.block, n - first), rows = n - first;
      begin(product_operations(rows, columns, width), 0);
      blas_.multiply(-1, a.block(first, rows).columns(k, width), Transpose::no,
                     a.block(first, columns).columns(k, width), Transpose::yes, 1,
                     a.block(first, rows).columns(first, columns));
    }
  }
  launch(judge_pivots<Real>, 1, 1024, 0, stream_.get(), a, info, sizes.parts, failed);
  int verdict = 0;
  fetch(failed, std::span<int>(&verdict, 1));
  return verdict == 0;
}

/// B −= op(A)·X, which reads A once at the rate of the memory.
template <class Real>
void CudaAlgebra<Real>::subtract(ConstView<Real> a, Transpose op, ConstView<Real> x, View<Real> b) {
  constexpr int wide = pack_width<Real>;
  const bool packs = packable(a);
  if (b.cols > 1) {
    blas_.multiply(-1, a, op, x, Transpose::no, 1, b);
  } else if (op == Transpose::no) {
    launch(packs ? subtract_product<wide, Real> : subtract_product<1, Real>,
           blocks_for(a.rows, rows_of_product), dim3(32, rows_of_product), 0, stream_.get(), a, x,
           b);
  } else {
    launch(packs ? subtract_transposed_product<wide, Real> : subtract_transposed_product<1, Real>,
           blocks_for(a.cols, 32 * (packs ? wide : 1)), dim3(32, rows_at_once), 0, stream_.get(), a,
           x, b);
  }
}

/// Block by block, with y in scratch: y = L⁻¹·b, which uses b up, then b = L⁻ᵀ·y, which uses y up.
template <class Real>
void CudaAlgebra<Real>::solve_few_columns(ConstView<Real> l, View<Real> b, bool both) {
  const std::size_t n = l.rows, block = settings_.factor_block;
  const auto columns = static_cast<unsigned>(b.cols);
  const View<Real> y(reinterpret_cast<Real*>(scratch(b.size() * sizeof(Real))), n, b.cols);
  for (std::size_t k = 0; k < n; k += block) {
    const std::size_t width = std::min(block, n - k), below = k + width, rest = n - below;
    begin(0, static_cast<double>((n - k) * width * sizeof(Real)));
    launch(apply_inverse<Real>, dim3(blocks_for(width, square), columns), dim3(square, square), 0,
           stream_.get(), diagonal_block(l, k, width), b.block(k, width), y.block(k, width));
    if (rest == 0) break;
    subtract(l.block(below, rest).columns(k, width), Transpose::no, y.block(k, width),
             b.block(below, rest));
  }
  if (!both) return copy(y, b);
  for (std::size_t end = n; end > 0;) {
    const std::size_t width = end % block == 0 ? std::min(block, end) : end % block;
    const std::size_t k = end - width;
    begin(0, static_cast<double>(end * width * sizeof(Real)));
    launch(apply_transposed_inverse<Real>, dim3(blocks_for(width, rows_of_transpose), columns),
           dim3(32, rows_of_transpose), 0, stream_.get(), diagonal_block(l, k, width),
           y.block(k, width), b.block(k, width));
    if (k > 0) {
      subtract(l.block(k, width).columns(0, k), Transpose::yes, b.block(k, width), y.block(0, k));
    }
    end = k;
  }
}

template <class Real>
void CudaAlgebra<Real>::lower_solve(ConstView<Real> l, View<Real> b) {
  if (b.size() == 0) return checkpoint();
  if (b.cols <= few_columns) return solve_few_columns(l, b, false);
  begin(product_operations(l.rows, l.rows, b.cols) / 2, 0);
  blas_.solve(Side::left, Transpose::no, l, b);
}

template <class Real>
void CudaAlgebra<Real>::cholesky_solve(ConstView<Real> l, View<Real> b) {
  if (b.size() == 0) return checkpoint();
  if (b.cols <= few_columns) return solve_few_columns(l, b, true);
  lower_solve(l, b);
  begin(product_operations(l.rows, l.rows, b.cols) / 2, 0);
  blas_.solve(Side::left, Transpose::yes, l, b);
}

template class CudaAlgebra<float>;
template class CudaAlgebra<double>;

}  // namespace secondorder::cuda
