// Projections onto sums over all rows of K: a new S in every step.
#include <algorithm>
#include <vector>

#include "newton/linear/block_projection.hpp"
#include "newton/linear/projection.hpp"
#include "newton/linear/sketch_streams.hpp"
#include "newton/linear/team_products.hpp"

namespace secondorder::newton {

namespace {

/// Products of matrices run at some 8 times the speed of those with a vector; a normal number takes
/// the time of some 60 operations.
constexpr double gemm_speed = 8, normal_cost = 60;

double as_double(std::size_t n) { return static_cast<double>(n); }

class MixedProjection : public Projection {
 public:
  MixedProjection(std::size_t sketch_size, ThreadPool& pool, std::uint64_t seed, SketchUse use)
      : pool_(pool), k_(pool), asked_(sketch_size), seed_(seed), use_(use) {}

  void prepare(const KktSystem& system) override {
    k_.prepare(system);
    order_ = system.order();
    size_ = usual_sketch_size(asked_, order_, most);
    random_ = sketch_stream(seed_, use_, prepared_++);
    steps_ = 0;
    rows_.resize(size_ * order_);
    gram_.resize(size_ * size_);
    residual_.resize(size_);
  }
  void start(std::span<const double> b) override { b_ = b; }
  double step(std::span<double> x) override {
    const View<double> rows(rows_.data(), size_, order_), factor(gram_.data(), size_, size_);
    const double gamma = sketch(steps_++, rows, residual_);
    double squares = 0;
    multiply_minus(rows, x);
    for (const double value : residual_) squares += value * value;
    gram(pool_, rows, factor);
    factor_gram(factor);
    solve_gram(factor, residual_);
    multiply_transposed(pool_, -1, rows, residual_, 1, x);
    return squares / gamma;
  }
  std::size_t sweep() const override { return (order_ + size_ - 1) / size_; }

 protected:
  static constexpr std::size_t most = 64;

  /// rows = SᵀK and right = Sᵀb for the S of a step; returns γ of E SSᵀ = γI.
  virtual double sketch(std::uint64_t step, View<double> rows, std::span<double> right) = 0;
  const RowMatrix& matrix() const { return k_.rows(); }
  std::span<const double> b() const { return b_; }
  const Philox& random() const { return random_; }
  std::size_t order() const { return order_; }
  std::size_t size() const { return size_; }
  ThreadPool& pool() { return pool_; }
  double gram_cost() const {
    return 4 * as_double(size_ * order_) + as_double(size_ * size_ * order_) / gemm_speed + 1000;
  }

 private:
  /// residual = rows·x − residual
  void multiply_minus(ConstView<double> rows, std::span<const double> x) {
    product_.resize(size_);
    multiply(pool_, rows, x, product_);
    for (std::size_t k = 0; k < size_; ++k) residual_[k] = product_[k] - residual_[k];
  }

  ThreadPool& pool_;
  KktRows k_;
  std::size_t asked_, order_ = 0, size_ = 1;
  std::uint64_t seed_, prepared_ = 0, steps_ = 0;
  SketchUse use_;
  Philox random_{0, 0};
  std::span<const double> b_;
  std::vector<double> rows_, gram_, residual_, product_;
};

class GaussianProjection final : public MixedProjection {
 public:
  GaussianProjection(std::size_t sketch_size, ThreadPool& pool, std::uint64_t seed)
      : MixedProjection(sketch_size, pool, seed, SketchUse::gaussian) {}

  double step_cost() const override {
    const double entries = as_double(size() * order());
    return entries * (2 * as_double(order()) / gemm_speed + normal_cost) + gram_cost();
  }

 protected:
  double sketch(std::uint64_t step, View<double> rows, std::span<double> right) override {
    normals_.resize(size() * order());
    const View<double> s(normals_.data(), size(), order());
    const std::uint64_t first = step * normals_.size();
    for_tasks(pool(), size(), normal_cost * as_double(normals_.size()), [&](std::size_t k) {
      for (std::size_t i = 0; i < order(); ++i) {
        s.row(k)[i] = random().normal(first + k * order() + i);
      }
    });
    matrix().mix(s, rows);
    multiply(pool(), s, b(), right);
    return as_double(size());
  }

 private:
  std::vector<double> normals_;
};

class CountSketchProjection final : public MixedProjection {
 public:
  CountSketchProjection(std::size_t sketch_size, ThreadPool& pool, std::uint64_t seed)
      : MixedProjection(sketch_size, pool, seed, SketchUse::countsketch) {}

  double step_cost() const override {
    return 2 * as_double(order()) * as_double(order()) + gram_cost();
  }

 protected:
  double sketch(std::uint64_t step, View<double> rows, std::span<double> right) override {
    target_.resize(order());
    weight_.resize(order());
    std::fill(right.begin(), right.end(), 0.0);
    std::fill_n(rows.data, rows.size(), 0.0);
    for (std::size_t i = 0; i < order(); ++i) {
      const auto words = random().words(step * order() + i);
      target_[i] = static_cast<std::uint32_t>((std::uint64_t{words[0]} * size()) >> 32U);
      weight_[i] = (words[1] & 1U) != 0 ? 1 : -1;
      right[target_[i]] += weight_[i] * b()[i];
    }
    matrix().scatter(target_, weight_, rows);
    return 1;
  }

 private:
  std::vector<std::uint32_t> target_;
  std::vector<double> weight_;
};

}  // namespace

std::unique_ptr<Projection> make_gaussian_projection(std::size_t sketch_size, ThreadPool& pool,
                                                     std::uint64_t seed) {
  return std::make_unique<GaussianProjection>(sketch_size, pool, seed);
}

std::unique_ptr<Projection> make_countsketch_projection(std::size_t sketch_size, ThreadPool& pool,
                                                        std::uint64_t seed) {
  return std::make_unique<CountSketchProjection>(sketch_size, pool, seed);
}

}  // namespace secondorder::newton
