#include "convex_relu/memory_plan.hpp"

#include <algorithm>

#include "convex_relu/global_rounds.hpp"
#include "convex_relu/preprocessing.hpp"
#include "convex_relu/symmetric_eigen.hpp"
#include "convex_relu/u_update.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr std::size_t number = sizeof(double);

/// One part in so many of what was freed stays with the allocator, in pieces too small for what
/// comes next (measured: up to 14 %).
constexpr std::size_t allocator_share = 6;

template <class Real>
class Account {
 public:
  Account(const Algebra<Real>& algebra, const RunSize& size, const Options& options)
      : algebra_(algebra), size_(size), options_(options), s_(size.shape), d_(size.raw_features) {
    const std::size_t kept = options.components > 0 ? std::min(options.components, d_) : d_;
    f_ = std::max(kept + (options.bias ? 1 : 0), s_.features);
    block_ = std::min(host_block, s_.rows);
    words_ = s_.rows * GateBits::words_per_row(s_.gates) * sizeof(std::uint64_t);
    gates_ = s_.gates * (d_ + 1) * number;
    global_ = resolved_global_bound(options, s_.rows, kept + (options.bias ? 1 : 0));
  }

  std::size_t most() const {
    const std::size_t device = size_.device_bytes;
    const std::size_t beside =
        kept() +
        std::max({std::max({components(), drawing(), rotation(), device}) - device, loading(),
                  starting(), results() + std::max(verifying(), state()),
                  without_workspace(results() + state() + bounding()), handed_over()}) +
        held_result();
    return beside + (device + beside) / allocator_share;
  }

 private:
  /// From set-up to the end: targets as given and folded, ν, patterns, gates, rotation, components.
  std::size_t kept() const {
    return (4 * s_.outputs + 2) * s_.rows * number + words_ + gates_ +
           f_ * (s_.features + d_ * (options_.components > 0 ? 1 : 0)) * number;
  }
  std::size_t raw_block() const { return block_ * d_ * number; }
  std::size_t feature_block() const { return block_ * f_ * number; }

  // Before there is a workspace.
  std::size_t components() const {
    if (options_.components == 0) return 0;
    return raw_block() + d_ * d_ * number + symmetric_eigen_bytes(d_);
  }
  std::size_t drawing() const {
    const std::size_t quantiles =
        options_.gate_source == GateSource::data || options_.gate_source == GateSource::patches
            ? std::min<std::size_t>(5000, s_.rows) * (d_ + s_.gates) * number
            : 0;
    return gates_ + words_ + std::max(quantiles, raw_block() + block_ * s_.gates * number);
  }
  std::size_t rotation() const {
    const std::size_t n = s_.rows;
    if (f_ > n) return raw_block() + (2 * n * f_ + n * n) * number + symmetric_eigen_bytes(n);
    return raw_block() + feature_block() + f_ * f_ * number + symmetric_eigen_bytes(f_);
  }

  // Beside the workspace.
  std::size_t loading() const {
    return raw_block() + feature_block() + block_ * (s_.features + s_.gates) * number +
           block_ * (s_.features + s_.outputs) * sizeof(Real);
  }
  std::size_t starting() const {
    const std::size_t scratch = starting_scratch_bytes(algebra_, s_, s_.gates, size_.route);
    if (size_.route != Route::conjugate_gradient) return scratch;
    const std::size_t rank = sketch_rank(s_.gates, s_.features);
    return s_.gates * s_.features * rank * (3 * number + sizeof(Real)) + scratch;
  }

  // The model and the certificate.
  std::size_t model() const {
    const bool relu = s_.sets == 2;
    return size_.neurons * (relu ? f_ + s_.outputs + 1 : s_.outputs * f_ + d_ + 1) * number;
  }
  std::size_t parameters() const { return s_.parameter_rows() * f_ * number; }
  std::size_t multipliers() const { return size_.multiplier_rows * s_.rows * number; }
  std::size_t results() const {
    return model() + multipliers() + gates_ + s_.rows * s_.outputs * number;
  }
  std::size_t verifying() const {
    const std::size_t z = s_.rows * f_ * number;
    const std::size_t samples = 3 * s_.rows * s_.outputs * number;
    const GatedShape in_double{s_.rows, f_, s_.gates, s_.outputs, 1};
    const std::size_t bound = (s_.set_rows() + s_.parameter_rows()) * f_ * number +
                              size_.multiplier_rows * (f_ + 1024) * number;
    const std::size_t activations = s_.sets == 2 ? block_ * size_.neurons * number : 0;
    const std::size_t forward = raw_block() + feature_block() + activations;
    return z + samples + model() + algebra_.scratch_bytes(in_double) * (number / sizeof(Real)) +
           std::max(bound, forward);
  }
  std::size_t cone_variable() const {
    return s_.sets == 2 ? s_.rows * s_.parameter_rows() * sizeof(float) : 0;
  }
  /// The solution for warm starts.
  std::size_t state() const {
    const std::size_t staging = s_.sets == 2 ? block_ * s_.parameter_rows() * sizeof(Real) : 0;
    return parameters() + cone_variable() + gates_ + std::max(2 * parameters(), staging);
  }
  /// The search for the bound over all networks.
  std::size_t bounding() const {
    if (global_.when == GlobalBoundWhen::never) return 0;
    return global_.bytes + global_bound_bytes(s_.rows, f_, s_.outputs);
  }
  /// The result of the round before.
  std::size_t held_result() const {
    return global_.when == GlobalBoundWhen::never || global_.rounds == 0 ? 0 : results() + state();
  }
  /// What comes on top of the workspace, which is gone by then.
  std::size_t without_workspace(std::size_t bytes) const {
    return bytes > size_.device_bytes ? bytes - size_.device_bytes : 0;
  }
  /// Results beside their copies for the caller, of the certificate first; the workspace is gone.
  std::size_t handed_over() const {
    const std::size_t copied = size_.multiplier_rows * s_.rows * sizeof(Real) + model();
    const std::size_t both = copied + std::max(results() + state(), 2 * state());
    return without_workspace(both);
  }

  const Algebra<Real>& algebra_;
  const RunSize& size_;
  const Options& options_;
  const GatedShape& s_;
  GlobalBoundOptions global_;
  std::size_t d_, f_ = 0, block_ = 0, words_ = 0, gates_ = 0;
};

}  // namespace

template <class Real>
std::size_t starting_scratch_bytes(const Algebra<Real>& algebra, const GatedShape& shape,
                                   std::size_t all_gates, Route route) {
  if (route == Route::gram) return algebra.gram_scratch_bytes(shape);
  if (route != Route::conjugate_gradient) return 0;
  const std::size_t rank = sketch_rank(all_gates, shape.features);
  const GatedShape sketch{shape.rows, shape.features, shape.gates, rank, 1};
  return algebra.scratch_bytes(sketch);
}

template <class Real>
std::size_t host_bytes(const Algebra<Real>& algebra, const RunSize& size, const Options& options) {
  return Account<Real>(algebra, size, options).most();
}

std::size_t data_bytes(const DataView& data) {
  return data.values32.size_bytes() + data.values64.size_bytes() + data.columns.size_bytes() +
         data.row_offsets.size_bytes();
}

template std::size_t starting_scratch_bytes(const Algebra<float>&, const GatedShape&, std::size_t,
                                            Route);
template std::size_t starting_scratch_bytes(const Algebra<double>&, const GatedShape&, std::size_t,
                                            Route);
template std::size_t host_bytes(const Algebra<float>&, const RunSize&, const Options&);
template std::size_t host_bytes(const Algebra<double>&, const RunSize&, const Options&);

}  // namespace secondorder::convex_relu
