#include "newton/linear/sketch_preconditioner.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "algebra/cpu/blas.hpp"
#include "newton/linear/sketch_streams.hpp"
#include "newton/linear/team_products.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

constexpr std::size_t rows_per_column = 4, usual_steps = 300;
/// Weight ρ of JᵀJ against the sketched Hessian: with it the curvature may be negative off the null
/// space of J.
constexpr double constraint_weight = 1e3;

/// The factors of P. With ŷ = y − ρ(Jx − r₂) its equations are
///
///   [ C   Jᵀ ; J   −δ'I ]·[ x ; ŷ ] = [ r₁ + ρJᵀr₂ ; r₂ ],   C = BᵀB + shift·I + ρJᵀJ,
///   δ' = δ_c/(1 − ρδ_c),
///
/// solved by the Cholesky factors of C and of the Schur complement J·C⁻¹·Jᵀ + δ'I.
class SketchedFactors {
 public:
  explicit SketchedFactors(ThreadPool& pool) : pool_(pool) {}

  /// The inertia of P, as far as the factorization went.
  Inertia factor(ConstView<double> sketch, double shift, const KktSystem& system) {
    n_ = system.variables;
    m_ = system.constraints;
    c_.assign(n_ * n_, 0.0);
    const View<double> c(c_.data(), n_, n_);
    add_inner_gram(pool_, sketch, c);
    for (std::size_t i = 0; i < n_; ++i) c.row(i)[i] += shift;
    fill_jacobian(*system.jacobian);
    weigh(c, system.delta_c);
    add_constraints(c);
    pool_.checkpoint();
    if (!positive(c)) return {.positive = n_ - 1, .negative = m_ + 1};
    return factor_schur();
  }

  /// (x, y) = P⁻¹·(r₁, r₂)
  void solve(std::span<const double> r, std::span<double> out) {
    const View<double> c(c_.data(), n_, n_), j(j_.data(), m_, n_), s(schur_.data(), m_, m_);
    const auto x = out.first(n_), y = out.last(m_);
    const auto r1 = r.first(n_), r2 = r.last(m_);
    std::copy(r1.begin(), r1.end(), x.begin());
    multiply_transposed(pool_, rho_, j, r2, 1, x);
    half_ = Vector(x.begin(), x.end());
    blas::trsv(CblasNoTrans, n_, c.data, c.stride, half_.data(), 1);  // L⁻¹(r₁ + ρJᵀr₂)
    multiply(pool_, {image_.data(), m_, n_}, half_, y);               // J·C⁻¹(…)
    for (std::size_t i = 0; i < m_; ++i) y[i] -= r2[i];
    if (m_ > 0) {
      blas::trsv(CblasNoTrans, m_, s.data, s.stride, y.data(), 1);
      blas::trsv(CblasTrans, m_, s.data, s.stride, y.data(), 1);
    }
    multiply_transposed(pool_, -1, {image_.data(), m_, n_}, y, 1, half_);
    blas::trsv(CblasTrans, n_, c.data, c.stride, half_.data(), 1);
    std::copy(half_.begin(), half_.end(), x.begin());
    product_.resize(m_);
    multiply(pool_, j, x, product_);
    for (std::size_t i = 0; i < m_; ++i) y[i] += rho_ * (product_[i] - r2[i]);
  }

 private:
  void fill_jacobian(const SparseMatrix& jacobian) {
    j_.assign(m_ * n_, 0.0);
    for (std::size_t i = 0; i < m_; ++i) {
      for (auto p = static_cast<std::size_t>(jacobian.offsets()[i]);
           p < static_cast<std::size_t>(jacobian.offsets()[i + 1]); ++p) {
        j_[i * n_ + static_cast<std::size_t>(jacobian.columns()[p])] = jacobian.values()[p];
      }
    }
  }

  void weigh(ConstView<double> c, double delta_c) {
    double largest = 0;
    for (std::size_t i = 0; i < n_; ++i) largest = std::max(largest, std::abs(c.row(i)[i]));
    const double squares = m_ > 0 ? dot(j_, j_) / static_cast<double>(m_) : 0;
    rho_ = squares > 0 && largest > 0 ? constraint_weight * largest / squares : 0;
    if (delta_c > 0) rho_ = std::min(rho_, 0.5 / delta_c);
    delta_ = delta_c / (1 - rho_ * delta_c);
  }

  void add_constraints(View<double> c) {
    if (m_ == 0 || rho_ == 0) return;
    Vector scaled(j_);
    for (double& value : scaled) value *= std::sqrt(rho_);
    add_inner_gram(pool_, {scaled.data(), m_, n_}, c);
  }

  /// Lower Cholesky factor in place; false where it isn't positive definite, or not finite.
  static bool positive(View<double> a) {
    if (!blas::potrf(a.rows, a.data, a.stride)) return false;
    for (std::size_t i = 0; i < a.rows; ++i) {
      if (!std::isfinite(a.row(i)[i])) return false;
    }
    return true;
  }

  Inertia factor_schur() {
    image_ = j_;  // J·L⁻ᵀ
    schur_.assign(m_ * m_, 0.0);
    if (m_ == 0) return {.positive = n_};
    const View<double> image(image_.data(), m_, n_), s(schur_.data(), m_, m_);
    blas::trsm(CblasRight, CblasTrans, m_, n_, c_.data(), n_, image.data, image.stride);
    gram(pool_, image, s);
    for (std::size_t i = 0; i < m_; ++i) s.row(i)[i] += delta_;
    if (!positive(s)) return {.positive = n_, .negative = m_ - 1, .zero = 1};
    return {.positive = n_, .negative = m_};
  }

  ThreadPool& pool_;
  std::size_t n_ = 0, m_ = 0;
  double rho_ = 0, delta_ = 0;
  Vector c_, j_, image_, schur_, half_, product_;
};

class SketchPreconditioner final : public KktSolver {
 public:
  SketchPreconditioner(const KktSolverOptions& options, ThreadPool& pool, std::uint64_t seed,
                       TallHessian& data)
      : options_(options), pool_(pool), seed_(seed), data_(data), factors_(pool) {}

  std::string_view name() const override { return "sketch-preconditioner"; }
  std::size_t factorizations() const override { return factorizations_; }

  std::optional<Inertia> prepare(const KktSystem& system) override {
    system_ = &system;
    const std::size_t n = system.variables;
    // A product tells the data which point the system is of; H = h·I where it isn't theirs.
    const std::uint64_t products = data_.products();
    const Vector ones(n, 1.0);
    Vector image(n);
    system.hessian_product(ones, image);
    const bool of_the_data = data_.products() != products;
    const std::size_t rows = options_.sketch_size > 0 ? options_.sketch_size : rows_per_column * n;
    sketch_.resize(of_the_data ? rows * n : 0);
    const View<double> sketch(sketch_.data(), sketch_.size() / n, n);
    if (of_the_data) {
      data_.count_sketch(sketch_stream(seed_, SketchUse::tall_data, prepared_++), sketch);
    }
    const double shift = of_the_data ? data_.shift() : dot(ones, image) / static_cast<double>(n);
    const Inertia inertia = factors_.factor(sketch, shift + system.delta_w, system);
    ++factorizations_;
    usable_ = inertia == Inertia{.positive = n, .negative = system.constraints};
    return usable_ ? std::nullopt : std::optional(inertia);
  }

  SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) override {
    const double size = norm2(b);
    if (size == 0) {
      std::fill(x.begin(), x.end(), 0.0);
      return {.reached = true};
    }
    if (!all_finite(x)) std::fill(x.begin(), x.end(), 0.0);
    for (Vector* vector : {&r_, &p_, &image_, &preconditioned_, &start_}) vector->resize(b.size());
    SolveOutcome outcome{.residual = residual(b, x) / size};
    if (!usable_) return outcome;
    std::size_t left = options_.max_steps > 0 ? options_.max_steps : usual_steps;
    while (outcome.residual > accuracy && left > 0) {
      const double before = outcome.residual;
      std::copy(x.begin(), x.end(), start_.begin());
      const bool convex = iterate(accuracy * size, left, x);
      outcome.residual = residual(b, x) / size;
      if (!(outcome.residual < before)) {
        std::copy(start_.begin(), start_.end(), x.begin());
        outcome.residual = before;
      }
      if (!convex || !(outcome.residual <= 0.5 * before)) break;
    }
    outcome.reached = outcome.residual <= accuracy;
    outcome.steps = (options_.max_steps > 0 ? options_.max_steps : usual_steps) - left;
    return outcome;
  }

 private:
  /// r_ = b − Kx; returns its norm.
  double residual(std::span<const double> b, std::span<const double> x) {
    system_->multiply(x, r_);
    for (std::size_t i = 0; i < b.size(); ++i) r_[i] = b[i] - r_[i];
    return norm2(r_);
  }

  /// Conjugate gradients from the residual r_; false where the curvature on the null space of J is
  /// not positive.
  bool iterate(double target, std::size_t& left, std::span<double> x) {
    const std::size_t n = system_->variables;
    // onto the constraints: x += P⁻¹r, after which r has no second part
    factors_.solve(r_, p_);
    step(1, x);
    --left;
    std::fill(r_.begin() + static_cast<std::ptrdiff_t>(n), r_.end(), 0.0);
    factors_.solve(r_, preconditioned_);
    p_ = preconditioned_;
    double product = dot(r_, preconditioned_);
    while (norm2(r_) > target && left > 0) {
      pool_.checkpoint();
      --left;
      system_->multiply(p_, image_);
      const double curvature = dot(p_, image_);
      if (!(curvature > 0) || !(product > 0)) return false;
      const double alpha = product / curvature;
      add(alpha, p_, x);
      add(-alpha, image_, r_);
      std::fill(r_.begin() + static_cast<std::ptrdiff_t>(n), r_.end(), 0.0);
      factors_.solve(r_, preconditioned_);
      const double next = dot(r_, preconditioned_);
      const double beta = next / product;
      for (std::size_t i = 0; i < p_.size(); ++i) p_[i] = preconditioned_[i] + beta * p_[i];
      product = next;
    }
    return true;
  }

  /// x += alpha·p, and r with it.
  void step(double alpha, std::span<double> x) {
    system_->multiply(p_, image_);
    add(alpha, p_, x);
    add(-alpha, image_, r_);
  }

  KktSolverOptions options_;
  ThreadPool& pool_;
  std::uint64_t seed_, prepared_ = 0;
  TallHessian& data_;
  SketchedFactors factors_;
  const KktSystem* system_ = nullptr;
  bool usable_ = false;
  std::size_t factorizations_ = 0;
  Vector sketch_, r_, p_, image_, preconditioned_, start_;
};

}  // namespace

std::unique_ptr<KktSolver> make_sketch_preconditioner(const KktSolverOptions& options,
                                                      ThreadPool& pool, std::uint64_t seed,
                                                      TallHessian& data) {
  return std::make_unique<SketchPreconditioner>(options, pool, seed, data);
}

}  // namespace secondorder::newton
