// What the solvers are written against: dense linear algebra, and the few products with gated
// features that convex ReLU programs are made of. One implementation per device.
//
// Operations are issued in order on one stream; those that return a number wait for it, all others
// may return before they are done. Host memory is touched by upload() and download() alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "algebra/arena.hpp"
#include "algebra/loss.hpp"
#include "algebra/view.hpp"
#include "base/function_ref.hpp"
#include "base/run_control.hpp"

namespace secondorder {

enum class Transpose { no, yes };

/// How the rows of a parameter matrix are ordered: `sets` × `gates` × `outputs` rows of features.
/// Set 0 enters predictions with sign +1, set 1 with −1 (v and w of the ReLU program; a gated model
/// has one set). Row (s, i, o) is s·gates·outputs + i·outputs + o.
struct GatedShape {
  std::size_t rows = 0;      ///< n samples
  std::size_t features = 0;  ///< r
  std::size_t gates = 0;     ///< P
  std::size_t outputs = 1;   ///< c
  std::size_t sets = 1;

  std::size_t set_rows() const { return gates * outputs; }
  std::size_t parameter_rows() const { return sets * set_rows(); }
};

/// Which part of the cone variable q = s − μ/(ργ) to use.
enum class ConePart { magnitude /* |q| */, multiplier /* relu(−q) */ };

struct ConeSums {
  double violation = 0;  ///< Σ relu(−E∘XV)²
  double total = 0;      ///< Σ (XV)²
};

/// What an algebra keeps of operations that it has recorded.
class RecordedOperations {
 public:
  virtual ~RecordedOperations() = default;
};
/// Empty at first; resetting it forgets what was recorded. It must not outlive its algebra.
using Recording = std::unique_ptr<RecordedOperations>;

template <class Real>
class Algebra {
 public:
  virtual ~Algebra() = default;

  // --- memory ------------------------------------------------------------------------------------
  /// One block of device memory for an arena; throws ERR_OUT_OF_MEMORY.
  virtual std::unique_ptr<Memory> allocate(std::size_t bytes) = 0;
  /// Bytes of scratch that the operations of an iteration take for this shape.
  virtual std::size_t scratch_bytes(const GatedShape& shape) const = 0;
  /// The same of gated_gram, which is for once.
  virtual std::size_t gram_scratch_bytes(const GatedShape& shape) const = 0;
  /// Takes the scratch of an iteration's operations now: at shapes within this one they then
  /// allocate nothing. Without it they take what they need on first use.
  virtual void reserve_scratch(const GatedShape& shape) = 0;
  /// Parts of an operation that are worked on at the same time, each with host memory of its own.
  virtual int parallelism() const = 0;
  /// From now on operations throw Cancelled, within some 20 ms, once `control` asks them to stop.
  /// Null: nobody does.
  virtual void watch(const RunControl* control, StopOn stop_on = StopOn::cancellation) = 0;
  /// Throws Cancelled where an operation would, asked to stop; for long work between operations.
  virtual void checkpoint() const = 0;
  /// Does what operations() issues, which is the same at every call with this recording: the same
  /// operations on the same memory with the same scalars, none of which returns a number, uploads
  /// or downloads. An algebra may record them: operations() isn't called from then on, and may have
  /// been called once more than was asked for. By default it is just called.
  virtual void replay(Recording& /*recording*/, FunctionRef<void()> operations) { operations(); }
  virtual void upload(std::span<const Real> host, View<Real> device) = 0;
  virtual void upload(std::span<const std::uint64_t> host, GateBits device) = 0;
  virtual void download(ConstView<Real> device, std::span<Real> host) = 0;
  virtual void download(GateBits device, std::span<std::uint64_t> host) = 0;
  virtual void fill(View<Real> a, Real value) = 0;
  virtual void copy(ConstView<Real> from, View<Real> to) = 0;

  // --- dense -------------------------------------------------------------------------------------
  /// C = alpha·op(A)·op(B) + beta·C
  virtual void multiply(Real alpha, ConstView<Real> a, Transpose op_a, ConstView<Real> b,
                        Transpose op_b, Real beta, View<Real> c) = 0;
  /// A = L·Lᵀ in the lower triangle, what is above it is the algebra's own from then on; false
  /// where A isn't positive definite.
  virtual bool cholesky(View<Real> a) = 0;
  /// B ← (L·Lᵀ)⁻¹·B, L as cholesky() left it
  virtual void cholesky_solve(ConstView<Real> l, View<Real> b) = 0;
  /// B ← L⁻¹·B, L as cholesky() left it
  virtual void lower_solve(ConstView<Real> l, View<Real> b) = 0;
  /// Fills the upper triangle from the lower one.
  virtual void symmetrize(View<Real> a) = 0;
  /// A(i, i) += diagonal(0, i)
  virtual void add_to_diagonal(ConstView<Real> diagonal, View<Real> a) = 0;
  /// Y = alpha·X + beta·Y
  virtual void axpby(Real alpha, ConstView<Real> x, Real beta, View<Real> y) = 0;
  /// A(i, j) *= scale(0, j)
  virtual void scale_columns(ConstView<Real> scale, View<Real> a) = 0;
  /// A(i, j) *= scale(i, 0)
  virtual void scale_rows(ConstView<Real> scale, View<Real> a) = 0;
  /// Rows of A divided by their norms; rows of zeros stay.
  virtual void normalize_rows(View<Real> a) = 0;
  virtual double dot(ConstView<Real> a, ConstView<Real> b) = 0;

  // --- gated features: F·U = Σᵢ Dᵢ·X·Uᵢ ----------------------------------------------------------
  /// out (n × c) = Σᵢ Dᵢ·X·Uᵢᵀ over one set of parameters (P·c × r)
  virtual void gated_forward(ConstView<Real> x, GateBits gates, ConstView<Real> u,
                             View<Real> out) = 0;
  /// g (P·c × r): gᵢₒ = Xᵀ·(Dᵢ∘rₒ), the transpose of gated_forward
  virtual void gated_adjoint(ConstView<Real> x, GateBits gates, ConstView<Real> r,
                             View<Real> g) = 0;
  /// lower triangle of m: m(k, l) = shift·[k = l] + scale·m(k, l)·(number of gates open at both)
  virtual void gate_kernel(GateBits gates, Real scale, Real shift, View<Real> m) = 0;
  /// g (P·r × P·r), lower triangle: blocks Xᵀ·Dᵢ·Dⱼ·X
  virtual void gated_gram(ConstView<Real> x, GateBits gates, View<Real> g) = 0;

  // --- cones Eᵢ·X·v ≥ 0, E = 2D − I --------------------------------------------------------------
  /// g (sets·P·c × r) = Xᵀ·(E∘part(q)), q being n × sets·P·c
  virtual void cone_adjoint(ConstView<Real> x, GateBits gates, std::size_t outputs,
                            ConstView<Real> q, ConePart part, View<Real> g) = 0;
  /// q += relaxation·(E∘(X·Uᵀ) − relu(q))
  virtual void cone_relax(ConstView<Real> x, GateBits gates, std::size_t outputs, ConstView<Real> u,
                          Real relaxation, View<Real> q) = 0;
  /// relu(−q) *= ratio: keeps the multiplier ργ·relu(−q) when ρ changes by 1/ratio
  virtual void cone_rescale(Real ratio, View<Real> q) = 0;
  /// out (n × c) = Σᵢ relu(X·vᵢ) − Σᵢ relu(X·wᵢ), with what the cones of `gates` are violated by
  virtual ConeSums network_forward(ConstView<Real> x, GateBits gates, std::size_t sets,
                                   ConstView<Real> v, View<Real> out) = 0;

  // --- parameters, in groups of `group` consecutive rows -----------------------------------------
  /// v = p·max(0, 1 − threshold/‖p‖) by group; b = scale∘(2v − p + weight·g). g may be empty.
  virtual void group_threshold(ConstView<Real> p, std::size_t group, Real threshold,
                               ConstView<Real> g, Real weight, ConstView<Real> scale, View<Real> v,
                               View<Real> b) = 0;
  /// b += sign·t, then p += relaxation·(b − v)
  virtual void relax(ConstView<Real> t, Real sign, ConstView<Real> v, Real relaxation, View<Real> b,
                     View<Real> p) = 0;
  /// Parameters (gates·outputs × r) as one column per output (gates·r × outputs), and back.
  virtual void gates_to_columns(ConstView<Real> u, View<Real> columns) = 0;
  virtual void columns_to_gates(ConstView<Real> columns, View<Real> u) = 0;
  /// norms (groups × 1) of the groups of `v`, in double
  virtual void group_norms(ConstView<Real> v, std::size_t group, std::span<double> norms) = 0;
  /// norms of the groups of sign·c − weight·g; g may be empty
  virtual void dual_norms(ConstView<Real> c, Real sign, ConstView<Real> g, Real weight,
                          std::size_t group, std::span<double> norms) = 0;

  // --- two-layer ReLU networks -------------------------------------------------------------------
  /// A = max(A, 0)
  virtual void rectify(View<Real> a) = 0;
  /// z(k, j) = 1[z(k, j) > 0]·(gₖ·aⱼ), g being n × c and a m × c: from the activations of m neurons
  /// to what flows back through them
  virtual void backpropagate(ConstView<Real> g, ConstView<Real> a, View<Real> z) = 0;
  /// gates(k, i) = 1 where xₖ·uᵢ ≥ 0
  virtual void open_gates(ConstView<Real> x, ConstView<Real> u, GateBits gates) = 0;

  // --- losses ------------------------------------------------------------------------------------
  /// z = prox of the weighted loss at q with penalty t/2‖z − q‖²; a = 2z − q. `weights` may be
  /// empty.
  virtual void loss_prox(Loss loss, ConstView<Real> q, ConstView<Real> y, ConstView<Real> weights,
                         Real penalty, View<Real> z, View<Real> a) = 0;
  /// Σ weightₖ·ℓ(zₖ, yₖ)
  virtual double loss_value(Loss loss, ConstView<Real> z, ConstView<Real> y,
                            ConstView<Real> weights) = 0;
  /// gₖ = weightₖ·∇ℓ(zₖ, yₖ); returns Σ weightₖ·ℓ. The hinge is smoothed
  /// (losses::value_and_gradient).
  virtual double loss_gradient(Loss loss, double smoothing, ConstView<Real> z, ConstView<Real> y,
                               ConstView<Real> weights, View<Real> g) = 0;
};

}  // namespace secondorder
