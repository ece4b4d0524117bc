#include "newton/linear/team_products.hpp"

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"

namespace secondorder::newton {

namespace {

constexpr double worth_waking = 200'000;
constexpr std::size_t tile = 384;
/// Terms of a sum that a tile takes between two looks at the control.
constexpr std::size_t inner_block = 4096;
/// Elements that a task of a matrix-vector product reads.
constexpr std::size_t vector_task = 1 << 17;

CBLAS_TRANSPOSE blas_transpose(Transpose op) {
  return op == Transpose::yes ? CblasTrans : CblasNoTrans;
}

double count(std::size_t a, std::size_t b, std::size_t c) {
  return 2.0 * static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

/// Lower tiles of C = op(A)·op(A)ᵀ + beta·C, where `inner` counts the terms of a sum.
void lower_gram(ThreadPool& pool, ConstView<double> a, bool rows_are_sums, double beta,
                View<double> c) {
  const Split split = Split::of(c.rows, tile);
  const std::size_t inner = rows_are_sums ? a.rows : a.cols;
  const std::size_t tiles = split.parts * (split.parts + 1) / 2;
  for_tasks(pool, tiles, count(c.rows, c.rows, inner), [&](std::size_t task) {
    std::size_t row = 0;
    while ((row + 1) * (row + 2) / 2 <= task) ++row;
    const std::size_t col = task - row * (row + 1) / 2;
    const std::size_t i = split.begin(row), j = split.begin(col);
    const std::size_t height = split.end(row) - i, width = split.end(col) - j;
    if (rows_are_sums) {
      blas::gemm(CblasTrans, CblasNoTrans, height, width, inner, 1.0, a.data + i, a.stride,
                 a.data + j, a.stride, beta, c.row(i) + j, c.stride);
    } else {
      blas::gemm(CblasNoTrans, CblasTrans, height, width, inner, 1.0, a.row(i), a.stride, a.row(j),
                 a.stride, beta, c.row(i) + j, c.stride);
    }
  });
}

template <class Real>
void multiply_tiles(ThreadPool& pool, Real alpha, ConstView<Real> a, Transpose op_a,
                    ConstView<Real> b, Transpose op_b, Real beta, View<Real> c) {
  const std::size_t inner = op_a == Transpose::no ? a.cols : a.rows;
  const Split rows = Split::of(c.rows, tile), cols = Split::of(c.cols, tile);
  for_tasks(pool, rows.parts * cols.parts, count(c.rows, c.cols, inner), [&](std::size_t part) {
    const std::size_t i = rows.begin(part / cols.parts), j = cols.begin(part % cols.parts);
    const std::size_t height = rows.end(part / cols.parts) - i;
    const std::size_t width = cols.end(part % cols.parts) - j;
    std::size_t done = 0;
    do {
      if (done > 0) pool.checkpoint();
      const std::size_t terms = std::min(inner_block, inner - done);
      const Real* left = op_a == Transpose::no ? a.row(i) + done : a.row(done) + i;
      const Real* right = op_b == Transpose::no ? b.row(done) + j : b.row(j) + done;
      blas::gemm(blas_transpose(op_a), blas_transpose(op_b), height, width, terms, alpha, left,
                 a.stride, right, b.stride, done == 0 ? beta : Real(1), c.row(i) + j, c.stride);
      done += terms;
    } while (done < inner);
  });
}

}  // namespace

void for_tasks(ThreadPool& pool, std::size_t tasks, double operations,
               FunctionRef<void(std::size_t)> body) {
  if (operations < worth_waking) {
    for (std::size_t task = 0; task < tasks; ++task) body(task);
  } else {
    pool.run(tasks, [&](std::size_t task, int) { body(task); });
  }
}

void multiply(ThreadPool& pool, double alpha, ConstView<double> a, Transpose op_a,
              ConstView<double> b, Transpose op_b, double beta, View<double> c) {
  multiply_tiles(pool, alpha, a, op_a, b, op_b, beta, c);
}
void multiply(ThreadPool& pool, float alpha, ConstView<float> a, Transpose op_a, ConstView<float> b,
              Transpose op_b, float beta, View<float> c) {
  multiply_tiles(pool, alpha, a, op_a, b, op_b, beta, c);
}

void gram(ThreadPool& pool, ConstView<double> a, View<double> c) {
  lower_gram(pool, a, false, 0, c);
}

void add_inner_gram(ThreadPool& pool, ConstView<double> a, View<double> c) {
  lower_gram(pool, a, true, 1, c);
}

void multiply(ThreadPool& pool, ConstView<double> a, std::span<const double> x,
              std::span<double> out) {
  const std::size_t longest =
      std::max<std::size_t>(vector_task / std::max<std::size_t>(a.cols, 1), 4);
  const Split rows = Split::of(a.rows, longest);
  for_tasks(pool, rows.parts, count(a.rows, a.cols, 1), [&](std::size_t part) {
    const std::size_t first = rows.begin(part);
    blas::gemv(CblasNoTrans, rows.end(part) - first, a.cols, 1.0, a.row(first), a.stride, x.data(),
               1, 0.0, out.data() + first, 1);
  });
}

void multiply_transposed(ThreadPool& pool, double alpha, ConstView<double> a,
                         std::span<const double> y, double beta, std::span<double> out) {
  const std::size_t longest =
      std::max<std::size_t>(vector_task / std::max<std::size_t>(a.rows, 1), 64);
  const Split cols = Split::of(a.cols, longest);
  for_tasks(pool, cols.parts, count(a.rows, a.cols, 1), [&](std::size_t part) {
    const std::size_t first = cols.begin(part);
    blas::gemv(CblasTrans, a.rows, cols.end(part) - first, alpha, a.data + first, a.stride,
               y.data(), 1, beta, out.data() + first, 1);
  });
}

}  // namespace secondorder::newton
