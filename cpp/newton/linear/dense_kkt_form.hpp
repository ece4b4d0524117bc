// K as a dense matrix in the memory of a device: its factors, its products, and blocks of rows as
// long as K is wide. What the solvers of dense systems are written against; dense_on_cpu.* has the
// CPU's forms, cuda/newton/ those of a GPU. None of it is made for more than one thread at a time.
#pragma once

#include <cstddef>
#include <span>

#include "algebra/view.hpp"
#include "newton/kkt_system.hpp"

namespace secondorder::newton {

/// K = L·D·Lᵀ with Bunch and Kaufman's pivoting.
class DenseFactors {
 public:
  DenseFactors() = default;
  DenseFactors(const DenseFactors&) = delete;
  DenseFactors& operator=(const DenseFactors&) = delete;
  virtual ~DenseFactors() = default;

  /// Factors K, whose Hessian must have entries; the inertia of D, which is that of K by
  /// Sylvester's law. Throws Error(out_of_memory) where a first one doesn't fit.
  virtual Inertia factor(const KktSystem& system) = 0;
  /// x ← K⁻¹·x
  virtual void solve(std::span<double> x) = 0;
  /// out = K·v for the K last factored, to measure residuals by.
  virtual void multiply(std::span<const double> v, std::span<double> out) = 0;
};

/// What a solver will ask of row blocks at most, to be allocated before work starts.
struct RowBlockPlan {
  std::size_t rows = 0;    ///< reserve()
  std::size_t widest = 0;  ///< rows of one block that is multiplied
  std::size_t core = 0;    ///< rows that such a block is multiplied with, and the core's order
};

/// Blocks of rows on a device, row-major without gaps; small matrices are on the host.
class RowBlocks {
 public:
  RowBlocks() = default;
  RowBlocks(const RowBlocks&) = delete;
  RowBlocks& operator=(const RowBlocks&) = delete;
  virtual ~RowBlocks() = default;

  /// Memory of the device for so many rows, valid until the next call; what they hold is undefined
  /// at first.
  virtual View<double> reserve(std::size_t rows, std::size_t length) = 0;
  virtual void upload(std::span<const double> host, View<double> to) = 0;
  virtual void copy(ConstView<double> from, View<double> to) = 0;
  /// c = a·bᵀ, on the host
  virtual void products(ConstView<double> a, ConstView<double> b, View<double> c) = 0;
  /// The lower triangle of c = a·aᵀ, on the host
  virtual void gram(ConstView<double> a, View<double> c) = 0;
  /// c = y·qᵀ, on the host, and y −= c·q
  virtual void project_out(View<double> y, ConstView<double> q, View<double> c) = 0;
  /// y = R·Q with orthonormal rows of Q, in place, and a lower triangular R on the host; at most as
  /// many rows as each has elements. False where LAPACK fails.
  virtual bool orthonormalize(View<double> y, View<double> r) = 0;
  /// The core (k × k, on the host) of the corrections to come.
  virtual void set_core(ConstView<double> core) = 0;
  /// out = r + qᵀ·core·q·r for vectors on the host and the k rows of q.
  virtual void correct(ConstView<double> q, std::span<const double> r, std::span<double> out) = 0;
};

/// Products with K.
class DenseProducts {
 public:
  DenseProducts() = default;
  DenseProducts(const DenseProducts&) = delete;
  DenseProducts& operator=(const DenseProducts&) = delete;
  virtual ~DenseProducts() = default;

  /// Takes the entries of K in; those of the Hessian must be known.
  virtual void assemble(const KktSystem& system) = 0;
  /// out = K·v
  virtual void multiply(std::span<const double> v, std::span<double> out) = 0;
  virtual RowBlocks& rows() = 0;
  /// out = V·K for blocks of rows().
  virtual void multiply_rows(ConstView<double> v, View<double> out) = 0;
  /// The same with K, V and the result rounded to single precision, in less time.
  virtual void multiply_rows_rounded(ConstView<double> v, View<double> out) = 0;
};

}  // namespace secondorder::newton
