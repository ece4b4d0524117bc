#include "newton/bfgs.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "newton/linear/low_rank_ldl.hpp"

namespace secondorder::newton {

namespace {

/// Powell: sᵀy is kept at no less than this share of sᵀBs.
constexpr double damping = 0.2;
/// Steps shorter than this, against the length of the change, tell only rounding errors.
constexpr double shortest_step = 1e-15;
constexpr double smallest_sigma = 1e-8, largest_sigma = 1e8;

/// y moved towards Bs until sᵀy ≥ damping·sᵀBs.
Vector damp(std::span<const double> step, std::span<const double> change,
            std::span<const double> image) {
  const double curvature = dot(step, change), model = dot(step, image);
  Vector damped(change.begin(), change.end());
  if (curvature >= damping * model) return damped;
  const double theta = (1 - damping) * model / (model - curvature);
  for (std::size_t i = 0; i < damped.size(); ++i) {
    damped[i] = theta * change[i] + (1 - theta) * image[i];
  }
  return damped;
}

double sigma_of(std::span<const double> step, std::span<const double> change) {
  const double curvature = dot(step, change);
  if (!(curvature > 0)) return 1;
  return std::clamp(dot(change, change) / curvature, smallest_sigma, largest_sigma);
}

bool telling(std::span<const double> step, std::span<const double> change) {
  return all_finite(step) && all_finite(change) && norm_inf(step) > shortest_step;
}

}  // namespace

DenseBfgs::DenseBfgs(std::size_t variables) : matrix_(SparseSymmetric::dense(variables)) {
  forget();
}

void DenseBfgs::forget() {
  fresh_ = true;
  scale_identity(1);
}

void DenseBfgs::scale_identity(double sigma) {
  std::fill(matrix_.values().begin(), matrix_.values().end(), 0.0);
  for (std::size_t j = 0; j < matrix_.order(); ++j) {
    matrix_.values()[static_cast<std::size_t>(matrix_.offsets()[j])] = sigma;
  }
}

void DenseBfgs::learn(std::span<const double> step, std::span<const double> change) {
  if (!telling(step, change)) return;
  if (std::exchange(fresh_, false)) scale_identity(sigma_of(step, change));
  image_.resize(step.size());
  multiply(step, image_);
  damped_ = damp(step, change, image_);
  const double model = dot(step, image_), curvature = dot(step, damped_);
  if (!(model > 0) || !(curvature > 0)) return;
  double* entry = matrix_.values().data();
  for (std::size_t j = 0; j < step.size(); ++j) {
    const double down = image_[j] / model, up = damped_[j] / curvature;
    for (std::size_t i = j; i < step.size(); ++i) {
      *entry++ += damped_[i] * up - image_[i] * down;
    }
  }
}

void LimitedMemoryBfgs::forget() {
  steps_.clear();
  changes_.clear();
  sigma_ = 1;
  rebuild();
}

void LimitedMemoryBfgs::column(std::size_t j, std::span<double> out) const {
  const std::size_t pairs = steps_.size();
  if (j < pairs) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = sigma_ * steps_[j][i];
  } else {
    std::copy(changes_[j - pairs].begin(), changes_[j - pairs].end(), out.begin());
  }
}

void LimitedMemoryBfgs::multiply(std::span<const double> v, std::span<double> out) {
  const std::size_t pairs = steps_.size();
  weights_.resize(rank());
  for (std::size_t j = 0; j < pairs; ++j) {
    weights_[j] = sigma_ * dot(steps_[j], v);
    weights_[pairs + j] = dot(changes_[j], v);
  }
  factor_.solve(weights_);
  for (std::size_t i = 0; i < v.size(); ++i) out[i] = sigma_ * v[i];
  for (std::size_t j = 0; j < pairs; ++j) {
    add(-sigma_ * weights_[j], steps_[j], out);
    add(-weights_[pairs + j], changes_[j], out);
  }
}

void LimitedMemoryBfgs::learn(std::span<const double> step, std::span<const double> change) {
  if (!telling(step, change)) return;
  if (steps_.empty()) sigma_ = sigma_of(step, change);
  image_.resize(step.size());
  multiply(step, image_);
  Vector damped = damp(step, change, image_);
  if (!(dot(step, damped) > 0)) return;
  if (steps_.size() == memory_) {
    steps_.pop_front();
    changes_.pop_front();
  }
  steps_.emplace_back(step.begin(), step.end());
  changes_.push_back(std::move(damped));
  sigma_ = sigma_of(steps_.back(), changes_.back());
  rebuild();
}

void LimitedMemoryBfgs::rebuild() {
  const std::size_t pairs = steps_.size(), order = rank();
  middle_.assign(order * order, 0.0);
  for (std::size_t j = 0; j < pairs; ++j) {
    for (std::size_t i = j; i < pairs; ++i) {
      middle_[j * order + i] = sigma_ * dot(steps_[i], steps_[j]);
    }
    // The block below holds Lᵀ: (Lᵀ)ᵢⱼ = sⱼᵀyᵢ for j > i.
    for (std::size_t i = 0; i < j; ++i) {
      middle_[j * order + pairs + i] = dot(steps_[j], changes_[i]);
    }
    middle_[(pairs + j) * order + pairs + j] = -dot(steps_[j], changes_[j]);
  }
  std::copy(middle_.begin(), middle_.end(), factor_.start(order).begin());
  factor_.factor();
}

std::unique_ptr<KktSolver> LimitedMemoryBfgs::own_kkt_solver() {
  return std::make_unique<LowRankLdl>(*this);
}

}  // namespace secondorder::newton
