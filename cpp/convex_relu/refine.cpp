#include "convex_relu/refine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "algebra/download.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr std::size_t first_descent = 150, round_descent = 200;  ///< steps of L-BFGS
/// ρ of the convex solves starts at β over the median size times these, in turn.
constexpr double balances[] = {3, 0.3};
/// Rounds that gain less than this part of the objective, one after another, before it ends.
constexpr double least_gain = 1e-5;
constexpr std::size_t patience = 4;
/// Smoothing of the hinge in the stages of a descent; other losses have one stage, as they are.
constexpr double hinge_stages[] = {16 * hinge_smoothing, 4 * hinge_smoothing, hinge_smoothing};
constexpr double one_stage[] = {0};

}  // namespace

template <class Real>
Refinement<Real>::Refinement(Algebra<Real>& algebra, Samples<Real> samples,
                             const std::vector<double>& eigenvalues, const Options& options,
                             std::size_t starting, std::size_t available)
    : algebra_(algebra),
      samples_(samples),
      options_(options.refine),
      seed_(options.seed),
      width_(options.refine.width),
      descending_most_(std::max(starting, 2 * width_)) {
  lay_out();  // over a counting arena
  own_bytes_ = arena_.bytes();
  const std::size_t rest = available > own_bytes_ ? available - own_bytes_ : 0;
  program_.emplace(algebra, samples_, eigenvalues, 2 * width_, rest);
}

template <class Real>
void Refinement<Real>::allocate() {
  arena_ = Arena(algebra_.allocate(own_bytes_), own_bytes_);
  program_arena_ = Arena(algebra_.allocate(program_->bytes()), program_->bytes());
  lay_out();
}

template <class Real>
void Refinement<Real>::lay_out() {
  const std::size_t n = samples_.x.rows, r = samples_.x.cols, c = samples_.y.cols;
  const std::size_t most = std::max(descending_most_, Pricing<Real>::most_candidates(width_));
  network_.emplace(algebra_, arena_, samples_, most);
  lbfgs_.emplace(algebra_, arena_, descending_most_, r + c);
  pricing_.emplace(algebra_, arena_, samples_, *network_, width_, seed_);
  predictions_ = arena_.matrix<Real>(n, c);
  nu_ = arena_.matrix<Real>(n, c);
}

template <class Real>
void Refinement<Real>::run(const Neurons& first, HostAlgebra& host, const RunControl& control,
                           FunctionRef<void(const Round&)> on_round) {
  const auto note = [&](std::size_t round, double ratio) {
    on_round({static_cast<double>(round), best_->objective, ratio,
              static_cast<double>(best_->neurons.count()), control.seconds()});
  };
  const Neurons wide = by_size(first);
  Neurons start = wide;
  if (wide.count() > width_) start = fold(descend(wide, first_descent).neurons, width_, host);
  best_ = descend(start, round_descent);
  note(0, std::numeric_limits<double>::quiet_NaN());
  std::size_t idle = 0;
  for (std::size_t round = 1; round <= options_.rounds && idle < patience; ++round) {
    if (control.stop_requested() || best_->neurons.count() == 0) break;
    const double before = best_->objective;
    double ratio = 0;
    Step step = improve(round, ratio, host);
    if (step.objective < before) best_ = std::move(step);
    note(round, ratio);
    // At the kink of the hinge ν is not unique, and smoothing picks one of low prices.
    if (ratio <= 1 + options_.tolerance && samples_.loss != Loss::hinge) break;
    idle = before - best_->objective < least_gain * before ? idle + 1 : 0;
  }
}

/// One round, from the best network.
template <class Real>
typename Refinement<Real>::Step Refinement<Real>::improve(std::size_t round, double& pricing_ratio,
                                                          HostAlgebra& host) {
  const Neurons current = merged(best_->neurons);
  evaluate(current);
  const Prices prices = (*pricing_)(current, nu_, 1 + options_.tolerance, width_, round);
  pricing_ratio = prices.ratio;
  program_arena_.clear();
  const Neurons solved = program_->solve(program_arena_, current, prices.neurons, predictions_, nu_,
                                         balances[(round - 1) % std::size(balances)]);
  Step start{fold(by_size(solved), width_, host), 0};
  Step end = descend(start.neurons, round_descent);
  if (samples_.smoothing == 0) return end;
  start.objective = evaluate(start.neurons);  // descent was on a surrogate
  return start.objective < end.objective ? start : end;
}

template <class Real>
typename Refinement<Real>::Step Refinement<Real>::descend(const Neurons& from,
                                                          std::size_t iterations) {
  const std::size_t count = from.count();
  const std::vector<double> weights = balanced_weights(from);
  const std::vector<Real> rounded(weights.begin(), weights.end());
  algebra_.upload(rounded, lbfgs_->point(count));
  descending_ = count;
  double value = 0;
  const bool hinge = samples_.loss == Loss::hinge;
  for (const double smoothing :
       hinge ? std::span<const double>(hinge_stages) : std::span<const double>(one_stage)) {
    samples_.smoothing = smoothing;
    value = lbfgs_
                ->minimize(count, iterations,
                           [&](ConstView<Real> point, View<Real> gradient) {
                             return (*network_)(point, gradient);
                           })
                .value;
  }
  const std::vector<double> values = downloaded_as_double(algebra_, lbfgs_->point(count));
  descending_ = 0;
  if (hinge) {
    value = network_->predict(lbfgs_->point(count), predictions_, nu_);
  }
  return {by_size(neurons_of(values, from.features, from.outputs)), value};
}

template <class Real>
Neurons Refinement<Real>::merged(const Neurons& neurons) {
  return by_size(merge_equal(neurons, pricing_->signed_patterns(neurons)));
}

/// Predictions and ν of a network.
template <class Real>
double Refinement<Real>::evaluate(const Neurons& neurons) {
  const std::vector<double> weights = balanced_weights(neurons);
  const std::vector<Real> rounded(weights.begin(), weights.end());
  const View<Real> point = lbfgs_->point(neurons.count());
  algebra_.upload(rounded, point);
  return network_->predict(point, predictions_, nu_);
}

template <class Real>
Neurons Refinement<Real>::best(HostAlgebra& host) {
  if (best_) {
    const Neurons none{samples_.x.cols, samples_.y.cols, {}, {}};
    const bool pays = best_->objective < evaluate(none) * (1 - least_gain);
    return pays ? merged(best_->neurons) : none;
  }
  const std::size_t count = descending_, r = samples_.x.cols, c = samples_.y.cols;
  const std::vector<double> values = downloaded_as_double(algebra_, lbfgs_->point(count));
  return merged(fold(by_size(neurons_of(values, r, c)), width_, host));
}

template class Refinement<float>;
template class Refinement<double>;

}  // namespace secondorder::convex_relu
