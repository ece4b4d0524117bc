#include "newton/linear/minres_solvers.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "newton/linear/dense_kkt.hpp"
#include "newton/linear/minres.hpp"
#include "newton/linear/sketch_streams.hpp"
#include "newton/linear/spectral_deflation.hpp"
#include "newton/linear/team_products.hpp"

namespace secondorder::newton {

namespace {

/// Sketches in single precision are good to some digits; where K without its outliers is smaller
/// than this share of it, they are repeated in double precision.
constexpr double single_precision_share = 1e-6;

/// Elements of a deflation's basis by default, at most, but so many rows may always be had.
constexpr std::size_t most_elements = std::size_t{1} << 25, fewest_affordable = 32;

/// K in the form its products are quickest in.
class KktProduct {
 public:
  explicit KktProduct(ThreadPool& pool) : pool_(pool), dense_(pool) {}

  void prepare(const KktSystem& system) {
    system_ = &system;
    is_dense_ = DenseKkt::worthwhile(system);
    if (is_dense_) dense_.assemble(system, DenseKkt::Part::upper);
  }
  bool dense() const { return is_dense_; }
  std::size_t order() const { return system_->order(); }
  void multiply(std::span<const double> v, std::span<double> out) const {
    if (is_dense_) {
      dense_.multiply(v, out);
    } else {
      system_->multiply(v, out);
    }
  }
  /// Rows of V times K.
  void multiply_rows(ConstView<double> v, View<double> out) const {
    pool_.run(is_dense_ ? v.rows : 0, [&](std::size_t i, int) {
      dense_.multiply({v.row(i), v.cols}, {out.row(i), out.cols});
    });
    for (std::size_t i = 0; i < v.rows && !is_dense_; ++i) {
      pool_.checkpoint();
      system_->multiply({v.row(i), v.cols}, {out.row(i), out.cols});
    }
  }
  /// The same in single precision, twice as fast, of a dense K.
  void round() { dense_.to_single(single_); }
  void multiply_rows_rounded(ConstView<double> v, View<double> out) {
    const std::size_t order = v.cols;
    rounded_.resize(2 * v.size());
    const View<float> left(rounded_.data(), v.rows, order);
    const View<float> product(rounded_.data() + v.size(), v.rows, order);
    std::copy_n(v.data, v.size(), left.data);
    newton::multiply(pool_, 1.0F, left, Transpose::no, {single_.get(), order, order}, Transpose::no,
                     0.0F, product);
    std::copy_n(product.data, v.size(), out.data);
  }

 private:
  ThreadPool& pool_;
  const KktSystem* system_ = nullptr;
  DenseKkt dense_;
  bool is_dense_ = false;
  std::unique_ptr<float[]> single_;
  std::vector<float> rounded_;
};

class MinresSolver final : public KktSolver {
 public:
  MinresSolver(const KktSolverOptions& options, ThreadPool& pool,
               std::unique_ptr<KktPreconditioner> preconditioner)
      : options_(options), k_(pool), minres_(pool), preconditioner_(std::move(preconditioner)) {}

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
  NystromMinresSolver(const KktSolverOptions& options, ThreadPool& pool, std::uint64_t seed)
      : options_(options), seed_(seed), k_(pool), minres_(pool), deflation_(pool) {}

  std::string_view name() const override { return "nystrom-minres"; }
  std::optional<Inertia> prepare(const KktSystem& system) override {
    k_.prepare(system);
    const std::size_t order = std::max<std::size_t>(system.order(), 1);
    const std::size_t affordable = std::max<std::size_t>(most_elements / order, fewest_affordable);
    const std::size_t usual = std::clamp<std::size_t>(order / 8, 1, affordable);
    const std::size_t most = options_.sketch_size > 0 ? options_.sketch_size : usual;
    const Philox random = sketch_stream(seed_, SketchUse::deflation, prepared_++);
    if (k_.dense()) {
      k_.round();
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

std::unique_ptr<KktSolver> make_minres(const KktSolverOptions& options, ThreadPool& pool,
                                       std::unique_ptr<KktPreconditioner> preconditioner) {
  return std::make_unique<MinresSolver>(options, pool, std::move(preconditioner));
}

std::unique_ptr<KktSolver> make_nystrom_minres(const KktSolverOptions& options, ThreadPool& pool,
                                               std::uint64_t seed) {
  return std::make_unique<NystromMinresSolver>(options, pool, seed);
}

}  // namespace secondorder::newton
