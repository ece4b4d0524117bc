// Projections onto rows of K, or of its randomized Hadamard transform.
#include <algorithm>
#include <optional>

#include "newton/linear/block_projection.hpp"
#include "newton/linear/projection.hpp"
#include "newton/linear/sketch_streams.hpp"

namespace secondorder::newton {

namespace {

/// Gram matrices are made at some 8 times the speed of matrix-vector products.
constexpr double gemm_speed = 8;

double as_double(std::size_t n) { return static_cast<double>(n); }

class RowProjection final : public Projection {
 public:
  RowProjection(ThreadPool& pool, std::uint64_t seed) : seed_(seed), k_(pool) {}

  void prepare(const KktSystem& system) override {
    k_.prepare(system);
    random_ = sketch_stream(seed_, SketchUse::rows, prepared_++);
    drawn_ = 0;
    const double entries =
        system.hessian == nullptr
            ? as_double(system.order() * system.order())
            : 2 * as_double(system.hessian->entries() + system.jacobian->entries());
    cost_ = 4 * entries / as_double(std::max<std::size_t>(system.order(), 1)) + 100;
  }
  void start(std::span<const double> b) override { b_ = b; }
  double step(std::span<double> x) override {
    const RowMatrix& rows = k_.rows();
    const std::size_t i = random_.below(drawn_++, rows.rows());
    const double residual = rows.dot(i, x) - b_[i];
    if (rows.squares(i) > 0) rows.add(i, -residual / rows.squares(i), x);
    return residual * residual * as_double(rows.rows());
  }
  std::size_t sweep() const override { return k_.rows().rows(); }
  double step_cost() const override { return cost_; }

 private:
  std::uint64_t seed_, prepared_ = 0, drawn_ = 0;
  KktRows k_;
  Philox random_{0, 0};
  std::span<const double> b_;
  double cost_ = 0;
};

class PavedProjection final : public Projection {
 public:
  PavedProjection(std::size_t sketch_size, ThreadPool& pool, std::uint64_t seed)
      : asked_(sketch_size), seed_(seed), k_(pool) {}

  void prepare(const KktSystem& system) override {
    k_.prepare(system);
    const std::size_t order = system.order();
    size_ = usual_sketch_size(asked_, order, most);
    const Philox paving = sketch_stream(seed_, SketchUse::blocks, prepared_);
    random_ = sketch_stream(seed_, SketchUse::rows, prepared_++);
    drawn_ = 0;
    Subsets shuffled(order, paving);
    const auto items = shuffled.draw(order);
    paving_.assign(items.begin(), items.end());
    blocks_.clear();
    blocks_.resize((order + size_ - 1) / std::max<std::size_t>(size_, 1));
    direction_.resize(order);
  }
  void start(std::span<const double> b) override { b_ = b; }
  double step(std::span<double> x) override {
    const std::size_t chosen = random_.below(drawn_++, blocks_.size());
    if (!blocks_[chosen]) {
      const std::size_t first = chosen * size_;
      blocks_[chosen].emplace(k_.rows(), std::span<const std::uint32_t>(paving_).subspan(
                                             first, std::min(size_, paving_.size() - first)));
    }
    const double squares = blocks_[chosen]->direction(k_.rows(), b_, x, direction_);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= direction_[i];
    return squares * as_double(blocks_.size());
  }
  std::size_t sweep() const override { return blocks_.size(); }
  double step_cost() const override {
    return 4 * as_double(size_ * direction_.size()) + 2 * as_double(size_ * size_) + 1000;
  }

 private:
  static constexpr std::size_t most = 512;
  std::size_t asked_, size_ = 1;
  std::uint64_t seed_, prepared_ = 0, drawn_ = 0;
  KktRows k_;
  Philox random_{0, 0};
  std::vector<std::uint32_t> paving_;
  std::vector<std::optional<RowBlock>> blocks_;
  std::span<const double> b_;
  std::vector<double> direction_;
};

class SrhtProjection final : public Projection {
 public:
  SrhtProjection(std::size_t sketch_size, ThreadPool& pool, std::uint64_t seed)
      : asked_(sketch_size), seed_(seed), a_(pool) {}

  void prepare(const KktSystem& system) override {
    const std::size_t order = system.order();
    size_ = usual_sketch_size(asked_, order, most);
    a_.prepare(system, sketch_stream(seed_, SketchUse::signs, prepared_));
    subsets_.emplace(a_.rows().rows(), sketch_stream(seed_, SketchUse::rows, prepared_++));
    direction_.resize(order);
  }
  void start(std::span<const double> b) override { b_ = a_.transform(b); }
  double step(std::span<double> x) override {
    const RowBlock block(a_.rows(), subsets_->draw(size_));
    const double squares = block.direction(a_.rows(), b_, x, direction_);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= direction_[i];
    return squares * as_double(a_.rows().rows()) / as_double(size_);
  }
  std::size_t sweep() const override { return (direction_.size() + size_ - 1) / size_; }
  double step_cost() const override {
    const double k = as_double(size_), d = as_double(direction_.size());
    return 4 * k * d + k * k * (d + k / 3) / gemm_speed + 1000;
  }

 private:
  static constexpr std::size_t most = 256;
  std::size_t asked_, size_ = 1;
  std::uint64_t seed_, prepared_ = 0;
  HadamardRows a_;
  std::optional<Subsets> subsets_;
  std::vector<double> b_, direction_;
};

}  // namespace

std::unique_ptr<Projection> make_row_projection(ThreadPool& pool, std::uint64_t seed) {
  return std::make_unique<RowProjection>(pool, seed);
}

std::unique_ptr<Projection> make_paved_projection(std::size_t sketch_size, ThreadPool& pool,
                                                  std::uint64_t seed) {
  return std::make_unique<PavedProjection>(sketch_size, pool, seed);
}

std::unique_ptr<Projection> make_srht_projection(std::size_t sketch_size, ThreadPool& pool,
                                                 std::uint64_t seed) {
  return std::make_unique<SrhtProjection>(sketch_size, pool, seed);
}

}  // namespace secondorder::newton
