// The Algebra on the CPU: OpenBLAS for dense tiles, our own kernels for gated rows, one team of
// threads. Work is cut into tiles by shape alone, never by the number of threads, so that any
// number of threads gives the same bits.
#pragma once

#include <memory>
#include <vector>

#include "algebra/algebra.hpp"
#include "algebra/cpu/cpu_scratch.hpp"
#include "algebra/cpu/kernels.hpp"
#include "algebra/cpu/tiling.hpp"
#include "base/thread_pool.hpp"

namespace secondorder {

template <class Real>
class CpuAlgebra final : public Algebra<Real> {
 public:
  explicit CpuAlgebra(int threads, const Kernels<Real>& inner_loops = kernels<Real>());

  /// Runs body(first, last) over balanced parts of `rows`, on the team where that is worth it.
  void for_rows(std::size_t rows, std::size_t row_operations,
                FunctionRef<void(std::size_t first, std::size_t last)> body);

  /// The same over parts of at most `longest` rows, always on the team.
  void for_blocks(std::size_t rows, std::size_t longest,
                  FunctionRef<void(std::size_t first, std::size_t last)> body);

  std::unique_ptr<Memory> allocate(std::size_t bytes) override;
  std::size_t scratch_bytes(const GatedShape& shape) const override;
  std::size_t gram_scratch_bytes(const GatedShape& shape) const override;
  void reserve_scratch(const GatedShape& shape) override;
  int parallelism() const override { return pool_.threads(); }
  void watch(const RunControl* control, StopOn stop_on = StopOn::cancellation) override {
    pool_.watch(control, stop_on);
  }
  void checkpoint() const override { pool_.checkpoint(); }
  void upload(std::span<const Real> host, View<Real> device) override;
  void upload(std::span<const std::uint64_t> host, GateBits device) override;
  void download(ConstView<Real> device, std::span<Real> host) override;
  void download(GateBits device, std::span<std::uint64_t> host) override;
  void fill(View<Real> a, Real value) override;
  void copy(ConstView<Real> from, View<Real> to) override;

  void multiply(Real alpha, ConstView<Real> a, Transpose op_a, ConstView<Real> b, Transpose op_b,
                Real beta, View<Real> c) override;
  bool cholesky(View<Real> a) override;
  void cholesky_solve(ConstView<Real> l, View<Real> b) override;
  void lower_solve(ConstView<Real> l, View<Real> b) override;
  void symmetrize(View<Real> a) override;
  void add_to_diagonal(ConstView<Real> diagonal, View<Real> a) override;
  void axpby(Real alpha, ConstView<Real> x, Real beta, View<Real> y) override;
  void scale_columns(ConstView<Real> scale, View<Real> a) override;
  void scale_rows(ConstView<Real> scale, View<Real> a) override;
  void normalize_rows(View<Real> a) override;
  double dot(ConstView<Real> a, ConstView<Real> b) override;

  void gated_forward(ConstView<Real> x, GateBits gates, ConstView<Real> u, View<Real> out) override;
  void gated_adjoint(ConstView<Real> x, GateBits gates, ConstView<Real> r, View<Real> g) override;
  void gate_kernel(GateBits gates, Real scale, Real shift, View<Real> m) override;
  void gated_gram(ConstView<Real> x, GateBits gates, View<Real> g) override;

  void cone_adjoint(ConstView<Real> x, GateBits gates, std::size_t outputs, ConstView<Real> q,
                    ConePart part, View<Real> g) override;
  void cone_relax(ConstView<Real> x, GateBits gates, std::size_t outputs, ConstView<Real> u,
                  Real relaxation, View<Real> q) override;
  void cone_rescale(Real ratio, View<Real> q) override;
  ConeSums network_forward(ConstView<Real> x, GateBits gates, std::size_t sets, ConstView<Real> v,
                           View<Real> out) override;

  void group_threshold(ConstView<Real> p, std::size_t group, Real threshold, ConstView<Real> g,
                       Real weight, ConstView<Real> scale, View<Real> v, View<Real> b) override;
  void relax(ConstView<Real> t, Real sign, ConstView<Real> v, Real relaxation, View<Real> b,
             View<Real> p) override;
  void gates_to_columns(ConstView<Real> u, View<Real> columns) override;
  void columns_to_gates(ConstView<Real> columns, View<Real> u) override;
  void group_norms(ConstView<Real> v, std::size_t group, std::span<double> norms) override;
  void dual_norms(ConstView<Real> c, Real sign, ConstView<Real> g, Real weight, std::size_t group,
                  std::span<double> norms) override;

  void rectify(View<Real> a) override;
  void backpropagate(ConstView<Real> g, ConstView<Real> a, View<Real> z) override;
  void open_gates(ConstView<Real> x, ConstView<Real> u, GateBits gates) override;

  void loss_prox(Loss loss, ConstView<Real> q, ConstView<Real> y, ConstView<Real> weights,
                 Real penalty, View<Real> z, View<Real> a) override;
  double loss_value(Loss loss, ConstView<Real> z, ConstView<Real> y,
                    ConstView<Real> weights) override;
  double loss_gradient(Loss loss, double smoothing, ConstView<Real> z, ConstView<Real> y,
                       ConstView<Real> weights, View<Real> g) override;

 private:
  /// Runs body(part, thread) for the parts of a split, on the team where the work is worth it.
  void parallel(std::size_t parts, double operations,
                FunctionRef<void(std::size_t part, int thread)> body);
  /// B ← op(L)⁻¹·B for one block of a factor.
  void block_solve(Transpose op, ConstView<Real> l, View<Real> b);
  /// C −= op(A)·B
  void subtract_product(Transpose op, ConstView<Real> a, ConstView<Real> b, View<Real> c);
  template <class T>
  T* thread_scratch(int thread, std::size_t count) {
    return thread_scratch_[static_cast<std::size_t>(thread)].template take<T>(count);
  }
  template <class T>
  T* shared_scratch(std::size_t count) {
    return shared_scratch_.take<T>(count);
  }
  /// What the operations of each file take.
  static ScratchBytes iteration_scratch(const GatedShape& shape);
  static ScratchBytes gated_scratch(const GatedShape& shape);
  static ScratchBytes cone_scratch(const GatedShape& shape);
  static ScratchBytes loss_scratch(const GatedShape& shape);
  static ScratchBytes dot_scratch(const GatedShape& shape);

  ThreadPool pool_;
  const Kernels<Real>& kernels_;
  std::vector<Scratch> thread_scratch_;
  Scratch shared_scratch_;
};

}  // namespace secondorder
