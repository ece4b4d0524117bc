// Kaczmarz++: Dereziński, Needell, Rebrova, Yang, "Randomized Kaczmarz methods with beyond-Krylov
// convergence" (arXiv 2501.11673), algorithm 1, with exact projections:
//
//   A = HDK, b ← HDb                                         (randomized Hadamard transform)
//   wₜ = A_Sᵀ·(A_S·A_Sᵀ)⁻¹·(A_S·xₜ − b_S)                     for a random block S of k rows
//   mₜ₊₁ = (1 − ρ)/(1 + ρ)·(mₜ + wₜ),   xₜ₊₁ = xₜ − wₜ − η·mₜ₊₁,   η = k/(2d).
//
// ρ, the rate of convergence, is estimated on the way from what the sampled residuals lose, by
// weighted averages. Blocks are drawn anew with probability min(1, d·log d/(k·t)), else one of the
// earlier ones comes again with its factor ("block memoization").
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "newton/linear/block_projection.hpp"
#include "newton/linear/projection.hpp"
#include "newton/linear/sketch_streams.hpp"

namespace secondorder::newton {

namespace {

/// Factors kept take no more memory than K, but this many are kept at least.
constexpr std::size_t fewest_blocks = 16;
constexpr std::size_t largest_sketch = 512;

class KaczmarzPlusPlus final : public Projection {
 public:
  KaczmarzPlusPlus(std::size_t sketch_size, ThreadPool& pool, std::uint64_t seed)
      : asked_(sketch_size), seed_(seed), a_(pool) {}

  void prepare(const KktSystem& system) override {
    order_ = system.order();
    size_ = usual_sketch_size(asked_, order_, largest_sketch);
    a_.prepare(system, sketch_stream(seed_, SketchUse::signs, prepared_));
    subsets_.emplace(a_.rows().rows(), sketch_stream(seed_, SketchUse::blocks, prepared_));
    random_ = sketch_stream(seed_, SketchUse::rows, prepared_++);
    drawn_ = steps_ = 0;
    blocks_.clear();
    const std::size_t ratio = order_ / std::max<std::size_t>(size_, 1);
    most_blocks_ = std::max(fewest_blocks, ratio * ratio);
    direction_.resize(order_);
    period_ = static_cast<std::size_t>(std::lround(blocks_per_sweep() + 1));
  }

  void start(std::span<const double> b) override {
    b_ = a_.transform(b);
    momentum_.assign(order_, 0.0);
    since_start_ = 0;
    first_half_ = second_half_ = loss_ = 0;
    keep_ = 1;
    weight_ = 0;
    averaged_ = 1;
  }

  double step(std::span<double> x) override {
    const RowBlock& block = next_block();
    const double squares = block.direction(a_.rows(), b_, x, direction_);
    for (std::size_t i = 0; i < order_; ++i) {
      momentum_[i] = keep_ * (momentum_[i] + direction_[i]);
      x[i] -= direction_[i] + weight_ * momentum_[i];
    }
    adapt(squares);
    return squares * static_cast<double>(a_.rows().rows()) / static_cast<double>(size_);
  }

  std::size_t sweep() const override { return (order_ + size_ - 1) / size_; }
  double step_cost() const override {
    return 4 * static_cast<double>(size_ * order_) + 2 * static_cast<double>(size_ * size_) + 1000;
  }

 private:
  double blocks_per_sweep() const {
    return static_cast<double>(order_) / static_cast<double>(size_);
  }

  const RowBlock& next_block() {
    ++steps_;
    const double fresh =
        blocks_per_sweep() * std::log(static_cast<double>(order_)) / static_cast<double>(steps_);
    if (blocks_.empty() || (blocks_.size() < most_blocks_ && random_.uniform(drawn_++) < fresh)) {
      blocks_.emplace_back(a_.rows(), subsets_->draw(size_));
      return blocks_.back();
    }
    return blocks_[random_.below(drawn_++, blocks_.size())];
  }

  /// After every two periods: how much less the second one's residuals were than the first one's.
  void adapt(double squares) {
    const std::size_t phase = ++since_start_ % (2 * period_);
    (phase > 0 && phase <= period_ ? first_half_ : second_half_) += squares;
    if (phase != 0) return;
    const double lost = first_half_ > 0 ? std::min(1.0, second_half_ / first_half_) : 1;
    const double before = std::log(averaged_), after = std::log(averaged_ + 1);
    const double memory = std::exp(before * before - after * after);
    loss_ = loss_ * memory + lost * (1 - memory);
    averaged_ += 1;
    const double rho = std::max(0.0, 1 - std::pow(loss_, 1 / static_cast<double>(period_)));
    keep_ = (1 - rho) / (1 + rho);
    weight_ = 1 / (2 * blocks_per_sweep());
    first_half_ = second_half_ = 0;
  }

  std::size_t asked_, order_ = 0, size_ = 1, most_blocks_ = 0, period_ = 1;
  std::size_t steps_ = 0, since_start_ = 0;
  std::uint64_t seed_, prepared_ = 0, drawn_ = 0;
  HadamardRows a_;
  std::optional<Subsets> subsets_;
  Philox random_{0, 0};
  std::vector<RowBlock> blocks_;
  std::vector<double> b_, direction_, momentum_;
  double first_half_ = 0, second_half_ = 0, loss_ = 0, keep_ = 1, weight_ = 0, averaged_ = 1;
};

}  // namespace

std::unique_ptr<Projection> make_kaczmarz_plus_plus(std::size_t sketch_size, ThreadPool& pool,
                                                    std::uint64_t seed) {
  return std::make_unique<KaczmarzPlusPlus>(sketch_size, pool, seed);
}

}  // namespace secondorder::newton
