// CudaAlgebra: what it holds, and how its operations are begun. Each of its files has one group of
// operations with their kernels: elements.cu, dense.cu, gated.cu, cone.cu, network.cu,
// parameters.cu, losses.cu; replay.cu repeats operations.
//
// To add an operation: declare it here, write its kernel in the file of its group, and where it
// takes scratch, take that in scratch_need().
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "algebra/cuda_algebra.hpp"
#include "algebra/pacer.hpp"
#include "algebra/row_major_blas.hpp"
#include "algebra/row_sums.hpp"
#include "algebra/staging.hpp"
#include "algebra/sums.hpp"
#include "algebra/tiles.hpp"
#include "memory.hpp"

namespace secondorder::cuda {

template <class Real>
class CudaAlgebra final : public Algebra<Real> {
 public:
  explicit CudaAlgebra(const CudaSettings& settings);

  std::unique_ptr<Memory> allocate(std::size_t bytes) override;
  std::size_t scratch_bytes(const GatedShape& shape) const override;
  std::size_t gram_scratch_bytes(const GatedShape& shape) const override;
  void reserve_scratch(const GatedShape& shape) override;
  int parallelism() const override { return settings_.host_threads; }
  void watch(const RunControl* control, StopOn stop_on = StopOn::cancellation) override;
  void checkpoint() const override;
  void replay(Recording& recording, FunctionRef<void()> operations) override;
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

  void rectify(View<Real> a) override;
  void backpropagate(ConstView<Real> g, ConstView<Real> a, View<Real> z) override;
  void open_gates(ConstView<Real> x, ConstView<Real> u, GateBits gates) override;

  void group_threshold(ConstView<Real> p, std::size_t group, Real threshold, ConstView<Real> g,
                       Real weight, ConstView<Real> scale, View<Real> v, View<Real> b) override;
  void relax(ConstView<Real> t, Real sign, ConstView<Real> v, Real relaxation, View<Real> b,
             View<Real> p) override;
  void gates_to_columns(ConstView<Real> u, View<Real> columns) override;
  void columns_to_gates(ConstView<Real> columns, View<Real> u) override;
  void group_norms(ConstView<Real> v, std::size_t group, std::span<double> norms) override;
  void dual_norms(ConstView<Real> c, Real sign, ConstView<Real> g, Real weight, std::size_t group,
                  std::span<double> norms) override;

  void loss_prox(Loss loss, ConstView<Real> q, ConstView<Real> y, ConstView<Real> weights,
                 Real penalty, View<Real> z, View<Real> a) override;
  double loss_value(Loss loss, ConstView<Real> z, ConstView<Real> y,
                    ConstView<Real> weights) override;
  double loss_gradient(Loss loss, double smoothing, ConstView<Real> z, ConstView<Real> y,
                       ConstView<Real> weights, View<Real> g) override;

 private:
  /// Begins an operation, or a part of one: makes the device current, throws Cancelled where asked
  /// to stop, and keeps the host from running too far ahead of the device.
  void begin(double operations, double bytes) { begin(QueuedWork::launch(operations, bytes)); }
  void begin(const QueuedWork& work);
  /// The same for what passes over so many elements.
  void begin_pass(std::size_t elements) { begin(0, static_cast<double>(elements * sizeof(Real))); }
  /// Scratch of an operation, which it begins; until the next one takes its own.
  std::byte* scratch(std::size_t bytes);
  /// Bytes of scratch for all operations of an iteration.
  std::size_t scratch_need(const GatedShape& shape) const;
  /// What cholesky() lays out in its scratch.
  struct FactorScratch {
    std::size_t block, work, parts;  ///< orders and elements
    std::size_t bytes() const {
      return (block * block + work) * sizeof(Real) + (parts + 1) * sizeof(int);
    }
  };
  FactorScratch factor_scratch(std::size_t order) const;
  /// Columns that tiles are made of: whole gates where sums go over them.
  static std::size_t forward_unit(std::size_t outputs) { return 64 * outputs; }
  static constexpr std::size_t adjoint_unit = 64;
  Tiles tiles(std::size_t rows, std::size_t columns, std::size_t unit) const {
    return {rows, columns, unit, settings_.tile_bytes / sizeof(Real)};
  }
  static std::size_t cone_sum_bytes(std::size_t rows) {
    return (rows * sizeof(RowConeSums) + 255) / 256 * 256;
  }
  /// Sums of each row's cones, and a tile after them.
  static std::size_t network_bytes(std::size_t rows, const Tiles& tiles) {
    return cone_sum_bytes(rows) + tiles.elements() * sizeof(Real);
  }
  View<Real> tile_view(const Tile& tile, std::byte* memory) const {
    return {reinterpret_cast<Real*>(memory), tile.rows, tile.columns, tile.stride};
  }
  // Products with gated features, in TF32 where the settings allow it and `exact` isn't asked for.
  void activations(ConstView<Real> x, ConstView<Real> u, const Tile& tile, View<Real> w,
                   bool exact = false);
  void adjoint(ConstView<Real> y, ConstView<Real> x, const Tile& tile, View<Real> g);
  void subtract(ConstView<Real> a, Transpose op, ConstView<Real> x, View<Real> b);
  void solve_few_columns(ConstView<Real> l, View<Real> b, bool both);
  /// The sums of term(i, j, sums) over rows × cols, each in a fixed order.
  template <std::size_t count, class Term>
  std::array<double, count> sum(std::size_t rows, std::size_t cols, const Term& term) {
    sum_terms<static_cast<int>(count)>(stream_.get(), rows, cols, term, sums_.as<double>());
    std::array<double, count> totals;
    fetch(sums_.as<double>(), std::span<double>(totals));
    return totals;
  }
  /// Brings numbers to the host, which waits for them.
  template <class Number>
  void fetch(Number* device, std::span<Number> host) {
    staging_.download({reinterpret_cast<std::byte*>(device), 1, host.size_bytes(), 0},
                      reinterpret_cast<std::byte*>(host.data()), stream_.get());
  }

  CudaSettings settings_;
  CurrentDevice current_;  ///< before anything else is made
  Stream stream_;
  DeviceMemory blas_workspace_;
  RowMajorBlas<Real> blas_;
  Pacer pacer_;
  Staging staging_;
  DeviceMemory scratch_;
  DeviceMemory sums_;  ///< partial sums, and their total first
  const RunControl* control_ = nullptr;
  StopOn stop_on_ = StopOn::cancellation;
};

}  // namespace secondorder::cuda
