#include "newton/linear/minres_solvers.hpp"

#include <algorithm>
#include <utility>

#include "newton/linear/dense_on_cpu.hpp"
#include "newton/linear/minres.hpp"
#include "newton/linear/sketch_streams.hpp"
#include "newton/linear/spectral_deflation.hpp"

namespace secondorder::newton {

namespace {

/// Sketches in single precision are good to some digits; where K without its outliers is smaller
/// than this share of it, they are repeated in double precision.
constexpr double single_precision_share = 1e-6;

/// Elements of a deflation's basis by default, at most, but so many rows may always be had.
constexpr std::size_t most_elements = std::size_t{1} << 25, fewest_affordable = 32;

/// K in the form its products are quickest in, or on a GPU in any case dense.
class KktProduct {
 public:
  KktProduct(ThreadPool& pool, std::unique_ptr<DenseProducts> on_gpu)
      : pool_(pool), always_dense_(on_gpu != nullptr), dense_(std::move(on_gpu)) {
    if (!dense_) dense_ = std::make_unique<CpuDenseProducts>(pool);
  }

  void prepare(const KktSystem& system) {
    system_ = &system;
    is_dense_ = always_dense_ || DenseKkt::worthwhile(system);
    if (is_dense_) dense_->assemble(system);
  }
  bool dense() const { return is_dense_; }
  std::size_t order() const { return system_->order(); }
  void multiply(std::span<const double> v, std::span<double> out) {
    pool_.checkpoint();
    if (is_dense_) {
      dense_->multiply(v, out);
    } else {
      system_->multiply(v, out);
    }
  }
  /// Blocks that these products are of.
  RowBlocks& rows() { return dense_->rows(); }
  /// Rows of V times K.
  void multiply_rows(ConstView<double> v, View<double> out) {
    pool_.checkpoint();
    if (is_dense_) return dense_->multiply_rows(v, out);
    for (std::size_t i = 0; i < v.rows; ++i) {
      pool_.checkpoint();
      system_->multiply({v.row(i), v.cols}, {out.row(i), out.cols});
    }
  }
  /// The same in single precision, of a dense K.
  void multiply_rows_rounded(ConstView<double> v, View<double> out) {
    pool_.checkpoint();
    dense_->multiply_rows_rounded(v, out);
  }

 private:
  ThreadPool& pool_;
  bool always_dense_, is_dense_ = false;
  const KktSystem* system_ = nullptr;
  std::unique_ptr<DenseProducts> dense_;
};

class MinresSolver final : public KktSolver {
 public:
  MinresSolver(const KktSolverOptions& options, ThreadPool& pool,
               std::unique_ptr<KktPreconditioner> preconditioner,
               std::unique_ptr<DenseProducts> on_gpu)
      : options_(options),
        k_(pool, std::move(on_gpu)),
        minres_(pool),
        preconditioner_(std::move(preconditioner)) {}

  std::string_view name() const override { return "minres"; }
  std::optional<Inertia> prepare(const KktSystem& system) override {
    k_.prepare(system);
    return preconditioner_ ? preconditioner_->prepare(system) : std::nullopt;
  }
  SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) override {
    const std::size_t usual = std::min<std::size_t>(4 * k_.order() + 100, 20'000);
    return minres_.solve([&](auto v, auto out) { k_.multiply(v, out); }, preconditioner_.get(), b,
                         accuracy, options_.max_steps > 0 ? options_.max_steps : usual, x);
  }

 private:
  KktSolverOptions options_;
  KktProduct k_;
  Minres minres_;
  std::unique_ptr<KktPreconditioner> preconditioner_;
};

class NystromMinresSolver final : public KktSolver {
 public:
  NystromMinresSolver(const KktSolverOptions& options, ThreadPool& pool, std::uint64_t seed,
                      std::unique_ptr<DenseProducts> on_gpu)
      : options_(options),
        seed_(seed),
        k_(pool, std::move(on_gpu)),
        minres_(pool),
        deflation_(pool, k_.rows()) {}

  std::string_view name() const override { return "nystrom-minres"; }
  std::optional<Inertia> prepare(const KktSystem& system) override {
    k_.prepare(system);
    const std::size_t most = most_deflated(system.order(), options_);
    const Philox random = sketch_stream(seed_, SketchUse::deflation, prepared_++);
    if (k_.dense()) {
      const bool built = deflation_.build(system.order(), most, random, [&](auto v, auto out) {
        k_.multiply_rows_rounded(v, out);
      });
      if (built && deflation_.rest_share() > single_precision_share) return std::nullopt;
    }
    deflation_.build(system.order(), most, random,
                     [&](auto v, auto out) { k_.multiply_rows(v, out); });
    return std::nullopt;
  }
  SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) override {
    const std::size_t usual = k_.order() / 20 + 50;
    return minres_.solve([&](auto v, auto out) { k_.multiply(v, out); }, &deflation_, b, accuracy,
                         options_.max_steps > 0 ? options_.max_steps : usual, x);
  }

 private:
  KktSolverOptions options_;
  std::uint64_t seed_, prepared_ = 0;
  KktProduct k_;
  Minres minres_;
  SpectralDeflation deflation_;
};

}  // namespace

std::size_t most_deflated(std::size_t order, const KktSolverOptions& options) {
  const std::size_t length = std::max<std::size_t>(order, 1);
  const std::size_t affordable = std::max<std::size_t>(most_elements / length, fewest_affordable);
  const std::size_t usual = std::clamp<std::size_t>(length / 8, 1, affordable);
  return std::min(options.sketch_size > 0 ? options.sketch_size : usual, order);
}

std::unique_ptr<KktSolver> make_minres(const KktSolverOptions& options, ThreadPool& pool,
                                       std::unique_ptr<KktPreconditioner> preconditioner,
                                       std::unique_ptr<DenseProducts> on_gpu) {
  return std::make_unique<MinresSolver>(options, pool, std::move(preconditioner),
                                        std::move(on_gpu));
}

std::unique_ptr<KktSolver> make_nystrom_minres(const KktSolverOptions& options, ThreadPool& pool,
                                               std::uint64_t seed,
                                               std::unique_ptr<DenseProducts> on_gpu) {
  return std::make_unique<NystromMinresSolver>(options, pool, seed, std::move(on_gpu));
}

}  // namespace secondorder::newton
