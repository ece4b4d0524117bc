#include "newton/linear/dense_on_cpu.hpp"

#include <algorithm>

#include "newton/linear/team_products.hpp"

extern "C" {
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void dorgqr_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau,
             double* work, const int* lwork, int* info);
}

namespace secondorder::newton {

namespace {

/// The lower triangle of K, by columns.
void fill(const KktSystem& system, std::span<double> k) {
  const std::size_t n = system.variables, order = system.order();
  const SparseSymmetric& hessian = *system.hessian;
  for (std::size_t j = 0; j < n; ++j) {
    double* column = k.data() + j * order;
    for (auto p = static_cast<std::size_t>(hessian.offsets()[j]);
         p < static_cast<std::size_t>(hessian.offsets()[j + 1]); ++p) {
      column[hessian.rows()[p]] = hessian.values()[p];
    }
    column[j] += system.delta_w;
  }
  const SparseMatrix& jacobian = *system.jacobian;
  for (std::size_t i = 0; i < system.constraints; ++i) {
    for (auto p = static_cast<std::size_t>(jacobian.offsets()[i]);
         p < static_cast<std::size_t>(jacobian.offsets()[i + 1]); ++p) {
      k[static_cast<std::size_t>(jacobian.columns()[p]) * order + n + i] = jacobian.values()[p];
    }
    k[(n + i) * order + n + i] = -system.delta_c;
  }
}

}  // namespace

Inertia CpuDenseFactors::factor(const KktSystem& system) {
  const auto order = static_cast<double>(system.order());
  if (system_ == nullptr) require_dense(system.order(), order * order);
  system_ = &system;
  fill(system, factor_.start(system.order()));
  factor_.factor();
  return factor_.inertia();
}

View<double> CpuRowBlocks::reserve(std::size_t rows, std::size_t length) {
  if (size_ < rows * length) {
    memory_ = std::make_unique_for_overwrite<double[]>(rows * length);
    size_ = rows * length;
  }
  return {memory_.get(), rows, length};
}

void CpuRowBlocks::upload(std::span<const double> host, View<double> to) {
  std::copy_n(host.data(), to.size(), to.data);
}

void CpuRowBlocks::copy(ConstView<double> from, View<double> to) {
  std::copy_n(from.data, from.size(), to.data);
}

void CpuRowBlocks::products(ConstView<double> a, ConstView<double> b, View<double> c) {
  newton::multiply(pool_, 1, a, Transpose::no, b, Transpose::yes, 0, c);
}

void CpuRowBlocks::gram(ConstView<double> a, View<double> c) { newton::gram(pool_, a, c); }

void CpuRowBlocks::project_out(View<double> y, ConstView<double> q, View<double> c) {
  newton::multiply(pool_, 1, y, Transpose::no, q, Transpose::yes, 0, c);
  newton::multiply(pool_, -1, c, Transpose::no, q, Transpose::no, 1, y);
}

/// Our rows are LAPACK's columns.
bool CpuRowBlocks::orthonormalize(View<double> y, View<double> r) {
  const int m = static_cast<int>(y.cols), n = static_cast<int>(y.rows);
  const int work_size = 64 * n;
  std::vector<double> tau(y.rows), work(static_cast<std::size_t>(work_size));
  int info = 0;
  dgeqrf_(&m, &n, y.data, &m, tau.data(), work.data(), &work_size, &info);
  for (std::size_t i = 0; i < y.rows; ++i) {
    for (std::size_t j = 0; j < y.rows; ++j) r.row(i)[j] = j <= i ? y.row(i)[j] : 0;
  }
  if (info == 0) dorgqr_(&m, &n, &n, y.data, &m, tau.data(), work.data(), &work_size, &info);
  return info == 0;
}

void CpuRowBlocks::set_core(ConstView<double> core) {
  core_.assign(core.data, core.data + core.size());
  coordinates_.resize(core.rows);
  corrected_.resize(core.rows);
}

void CpuRowBlocks::correct(ConstView<double> q, std::span<const double> r, std::span<double> out) {
  std::copy(r.begin(), r.end(), out.begin());
  newton::multiply(pool_, q, r, coordinates_);
  newton::multiply(pool_, {core_.data(), q.rows, q.rows}, coordinates_, corrected_);
  multiply_transposed(pool_, 1, q, corrected_, 1, out);
}

void CpuDenseProducts::assemble(const KktSystem& system) {
  k_.assemble(system, DenseKkt::Part::upper);
  rounded_ = false;
}

void CpuDenseProducts::multiply_rows(ConstView<double> v, View<double> out) {
  pool_.run(v.rows, [&](std::size_t i, int) {
    k_.multiply({v.row(i), v.cols}, {out.row(i), out.cols});
  });
}

void CpuDenseProducts::multiply_rows_rounded(ConstView<double> v, View<double> out) {
  if (!rounded_) k_.to_single(single_);
  rounded_ = true;
  const std::size_t order = v.cols;
  factors_.resize(2 * v.size());
  const View<float> left(factors_.data(), v.rows, order);
  const View<float> product(factors_.data() + v.size(), v.rows, order);
  std::copy_n(v.data, v.size(), left.data);
  newton::multiply(pool_, 1.0F, left, Transpose::no, {single_.get(), order, order}, Transpose::no,
                   0.0F, product);
  std::copy_n(product.data, v.size(), out.data);
}

}  // namespace secondorder::newton
