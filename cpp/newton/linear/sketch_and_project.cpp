#include "newton/linear/sketch_and_project.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// Work of one solve where no limit is given: in operations at the speed of matrix-vector products.
constexpr double usual_work = 5e9;
constexpr double fewest_steps = 100, most_steps = 1e6;
/// Sketched residuals scatter about the true one: it is recomputed a little early.
constexpr double early = 1.2;
/// Sweeps without a recomputation, at most.
constexpr std::size_t patience = 32;
/// Steps between looks at the control, at most.
constexpr std::size_t steps_between_checkpoints = 64;

class SketchAndProject final : public KktSolver {
 public:
  SketchAndProject(std::string_view name, std::unique_ptr<Projection> projection,
                   std::size_t max_steps, ThreadPool& pool)
      : name_(name), projection_(std::move(projection)), max_steps_(max_steps), pool_(pool) {}

  std::string_view name() const override { return name_; }

  std::optional<Inertia> prepare(const KktSystem& system) override {
    system_ = &system;
    if (system.order() > 0) projection_->prepare(system);
    return std::nullopt;
  }

  SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) override {
    const double size = norm2(b);
    if (size == 0) {
      std::fill(x.begin(), x.end(), 0.0);
      return {.reached = true};
    }
    if (!all_finite(x)) std::fill(x.begin(), x.end(), 0.0);
    start_.assign(x.begin(), x.end());
    projection_->start(b);
    const std::size_t limit = max_steps_ > 0 ? max_steps_ : usual_steps();
    const std::size_t sweep = std::max<std::size_t>(projection_->sweep(), 1);
    SolveOutcome outcome{.residual = residual(b, x) / size};
    std::size_t sweeps = 0;
    while (outcome.residual > accuracy && outcome.steps < limit) {
      const std::size_t steps = std::min(sweep, limit - outcome.steps);
      const double estimate = take_steps(steps, x);
      outcome.steps += steps;
      ++sweeps;
      const bool promising = !(std::sqrt(estimate) > early * accuracy * size);  // or not finite
      if (promising || sweeps % patience == 0 || outcome.steps == limit) {
        outcome.residual = residual(b, x) / size;
        if (!std::isfinite(outcome.residual)) break;
      }
    }
    if (!all_finite(x)) {
      std::copy(start_.begin(), start_.end(), x.begin());
      outcome.residual = residual(b, x) / size;
    }
    outcome.reached = outcome.residual <= accuracy;
    return outcome;
  }

 private:
  std::size_t usual_steps() const {
    return static_cast<std::size_t>(
        std::clamp(usual_work / projection_->step_cost(), fewest_steps, most_steps));
  }

  /// The mean of the estimates of ‖Kx − b‖² on the way.
  double take_steps(std::size_t steps, std::span<double> x) {
    double sum = 0;
    for (std::size_t i = 0; i < steps; ++i) {
      if (i % steps_between_checkpoints == 0) pool_.checkpoint();
      sum += projection_->step(x);
    }
    return sum / static_cast<double>(steps);
  }

  double residual(std::span<const double> b, std::span<const double> x) {
    image_.resize(b.size());
    system_->multiply(x, image_);
    for (std::size_t i = 0; i < b.size(); ++i) image_[i] = b[i] - image_[i];
    return norm2(image_);
  }

  std::string_view name_;
  std::unique_ptr<Projection> projection_;
  std::size_t max_steps_;
  ThreadPool& pool_;
  const KktSystem* system_ = nullptr;
  std::vector<double> image_, start_;
};

}  // namespace

std::unique_ptr<KktSolver> make_sketch_and_project(std::string_view name,
                                                   std::unique_ptr<Projection> projection,
                                                   std::size_t max_steps, ThreadPool& pool) {
  return std::make_unique<SketchAndProject>(name, std::move(projection), max_steps, pool);
}

}  // namespace secondorder::newton
