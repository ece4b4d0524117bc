// The dense K of a step on the CPU.
#pragma once

#include <memory>
#include <vector>

#include "base/thread_pool.hpp"
#include "newton/linear/dense_kkt.hpp"
#include "newton/linear/dense_kkt_form.hpp"
#include "newton/linear/symmetric_factor.hpp"

namespace secondorder::newton {

/// By LAPACK, on one thread.
class CpuDenseFactors final : public DenseFactors {
 public:
  Inertia factor(const KktSystem& system) override;
  void solve(std::span<double> x) override { factor_.solve(x); }
  /// By the entries that the system has, often fewer than K.
  void multiply(std::span<const double> v, std::span<double> out) override {
    system_->multiply(v, out);
  }

 private:
  const KktSystem* system_ = nullptr;
  SymmetricFactor factor_;
};

class CpuRowBlocks final : public RowBlocks {
 public:
  explicit CpuRowBlocks(ThreadPool& pool) : pool_(pool) {}

  View<double> reserve(std::size_t rows, std::size_t length) override;
  void upload(std::span<const double> host, View<double> to) override;
  void copy(ConstView<double> from, View<double> to) override;
  void products(ConstView<double> a, ConstView<double> b, View<double> c) override;
  void gram(ConstView<double> a, View<double> c) override;
  void project_out(View<double> y, ConstView<double> q, View<double> c) override;
  bool orthonormalize(View<double> y, View<double> r) override;
  void set_core(ConstView<double> core) override;
  void correct(ConstView<double> q, std::span<const double> r, std::span<double> out) override;

 private:
  ThreadPool& pool_;
  std::unique_ptr<double[]> memory_;
  std::size_t size_ = 0;
  std::vector<double> core_, coordinates_, corrected_;
};

class CpuDenseProducts final : public DenseProducts {
 public:
  explicit CpuDenseProducts(ThreadPool& pool) : pool_(pool), k_(pool), rows_(pool) {}

  void assemble(const KktSystem& system) override;
  void multiply(std::span<const double> v, std::span<double> out) override { k_.multiply(v, out); }
  RowBlocks& rows() override { return rows_; }
  void multiply_rows(ConstView<double> v, View<double> out) override;
  void multiply_rows_rounded(ConstView<double> v, View<double> out) override;

 private:
  ThreadPool& pool_;
  DenseKkt k_;
  CpuRowBlocks rows_;
  std::unique_ptr<float[]> single_;
  bool rounded_ = false;  // single_ is this K
  std::vector<float> factors_;
};

}  // namespace secondorder::newton
