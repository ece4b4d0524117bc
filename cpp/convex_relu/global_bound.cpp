#include "convex_relu/global_bound.hpp"

#include <algorithm>
#include <cmath>

#include "algebra/philox.hpp"
#include "convex_relu/dual_bound.hpp"
#include "convex_relu/gate_climb.hpp"
#include "convex_relu/price_cuts.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// Stream of the random neurons (gates.cpp has 1 to 5).
constexpr std::uint64_t start_stream = 6;

/// A neuron is worth a gate when its price exceeds β by more than this part.
constexpr double worthwhile_price = 1e-6;

/// Bounds from one dual vector after the other; the best is kept.
class Bounds {
 public:
  Bounds(const NetworkModel& model, const Certificate& certificate, const DataView& data,
         const std::vector<double>& y, const GlobalBoundOptions& options, HostAlgebra& host,
         const RunControl* control)
      : model_(model),
        certificate_(certificate),
        options_(options),
        host_(host),
        control_(control),
        point_(dual_point(model, certificate, data, y)),
        samples_(model.preprocessing, data, host),
        c_(model.outputs),
        beta_(certificate.beta * point_.total_weight),
        most_nodes_(options.nodes.value_or(samples_.rank <= 4 ? 5'000'000 : 200'000)),
        climbed_(samples_.rank, most_taken) {
    double loss = 0;
    const std::vector<double> zero(c_);
    for (std::size_t k = 0; k < samples_.rows(); ++k) {
      loss += weight(k) * losses::value(certificate.loss, zero.data(), &point_.targets[k * c_], c_);
      shifted_ += 4 * static_cast<double>(c_) * epsilon * weight(k) * samples_.lengths[k];
    }
    rounding_ = 8 * static_cast<double>(point_.nu.size() + 16) * epsilon * loss;
  }

  /// The bound of the certificate's ν, or of the dual vectors that are best for the neurons found
  /// so far (price_cuts.hpp): each is searched only once climbing finds no neuron that is too dear.
  void run(double objective) {
    double least = objective * point_.total_weight;
    if (options_.cuts == 0 || samples_.rank > most_cone_rank) {
      improve(point_.nu, options_.tolerance, 0);
      climbed_.directions = price_.directions;
      climbed_.prices = price_.prices;
      return;
    }
    PriceCuts cuts(certificate_.loss, c_, beta_, point_.targets, certificate_.weights);
    const std::size_t f = model_.preprocessing.features();
    for (std::size_t j = 0; j < model_.neurons(); ++j) {
      const std::vector<double> u = samples_.direction(model_.hidden.data() + j * f);
      cuts.add(u, samples_.activations(u.data()));
    }
    std::vector<double> nu(point_.nu);
    try {
      if (control_ != nullptr) host_.watch(control_, StopOn::time_limit);
      descend(cuts, nu, least);
    } catch (const Cancelled&) {
      if (control_ == nullptr || control_->cancelled()) throw;
    }
    if (control_ != nullptr) host_.watch(control_);
    if (searches_ == 0) improve(nu, options_.tolerance, 0);
    if (least < objective * point_.total_weight) neurons_ = cuts.used();
  }

  GlobalBound result(double objective) const {
    GlobalBound result = best_;
    result.gap = relative_gap(objective, result.bound);
    result.nodes = nodes_;
    result.peak_bytes =
        peak_bytes_ + global_bound_bytes(samples_.rows(), model_.preprocessing.features(), c_);
    const std::size_t r = samples_.rank;
    for (std::size_t i = 0; i < neurons_.size(); i += r) {
      samples_.append_gate(model_.preprocessing, neurons_.data() + i, result.gates);
    }
    for (std::size_t i = 0; neurons_.empty() && i < climbed_.prices.size(); ++i) {
      if (!(climbed_.prices[i] > (1 + worthwhile_price) * beta_)) continue;
      samples_.append_gate(model_.preprocessing, climbed_.directions.data() + i * r, result.gates);
    }
    return result;
  }

 private:
  /// Neurons that are added to the cuts at a time, and random ones that climbing starts from.
  static constexpr std::size_t most_taken = 24;
  static constexpr std::size_t random_starts = 64;

  /// Adds the neurons whose price, times `scale`, exceeds β; returns how many.
  std::size_t take(PriceCuts& cuts, const std::vector<double>& directions,
                   const std::vector<double>& prices, double scale) const {
    std::size_t taken = 0;
    for (std::size_t i = 0; i < prices.size(); ++i) {
      if (!(prices[i] * scale > (1 + worthwhile_price) * beta_)) continue;
      const double* u = directions.data() + i * samples_.rank;
      cuts.add({u, samples_.rank}, samples_.activations(u));
      ++taken;
    }
    return taken;
  }

  /// The neurons in use, and random ones.
  std::vector<double> starts(const PriceCuts& cuts, std::size_t round) const {
    const std::size_t r = samples_.rank;
    std::vector<double> rows = cuts.used();
    const Philox random(round, start_stream);
    for (std::size_t i = 0; i < random_starts; ++i) {
      double squares = 0;
      for (std::size_t j = 0; j < r; ++j) {
        rows.push_back(random.normal(i * r + j));
        squares += rows.back() * rows.back();
      }
      for (std::size_t j = rows.size() - r; j < rows.size(); ++j) rows[j] /= std::sqrt(squares);
    }
    return rows;
  }

  /// Lowers `least`, the least objective known, and brings ν near the best dual vector.
  void descend(PriceCuts& cuts, std::vector<double>& nu, double& least) {
    for (std::size_t round = 0;; ++round) {
      const double relative = 1 - best_.bound * point_.total_weight / least;
      if (relative <= 2 * options_.tolerance || out_of_budget()) return;
      const double fine = std::clamp(0.05 * relative, options_.tolerance, 0.02);
      const UnitSamples unit =
          unit_samples({samples_.x.data(), samples_.rows(), samples_.rank}, nu, c_);
      const BestDirections climbed = climbed_gates(unit, starts(cuts, round), most_taken, host_);
      std::size_t taken = take(cuts, climbed.directions, climbed.prices, unit.scale);
      const double highest = climbed.prices.empty() ? 0 : climbed.prices[0] * unit.scale;
      if (round == 0) {
        climbed_ = climbed;
        for (double& price : climbed_.prices) price *= unit.scale;
      }
      const bool last = round == options_.cuts;
      if (highest <= (1 + 5 * fine) * beta_ || last) {
        const bool better = improve(nu, std::max(options_.tolerance, 0.1 * relative), highest);
        taken += take(cuts, price_.directions, price_.prices, 1);
        if (last || (!better && taken == 0)) return;
      }
      cuts.solve(fine, host_);
      if (cuts.nu().empty()) return;
      least = std::min(least, cuts.objective());
      nu = cuts.nu();
    }
  }

  double weight(std::size_t k) const {
    return certificate_.weights.empty() ? 1 : certificate_.weights[k];
  }

  bool out_of_budget() const {
    return nodes_ >= most_nodes_ || started_.seconds() >= options_.seconds ||
           (control_ != nullptr && control_->out_of_time());
  }

  double dual(const std::vector<double>& nu, double largest) const {
    return scaled_dual(certificate_.loss, nu, point_.targets, certificate_.weights, c_, beta_,
                       largest);
  }

  /// What the largest price may be said to be for a bound within `tolerance` of that at `least`.
  double enough(const std::vector<double>& nu, double least, double tolerance) const {
    const double wanted = (1 - tolerance) * dual(nu, least);
    double low = least, high = 16 * least;
    for (int halving = 0; halving < 40; ++halving) {
      const double middle = 0.5 * (low + high);
      (dual(nu, middle) >= wanted ? low : high) = middle;
    }
    return low;
  }

  /// `climbed`: some neuron has this price.
  /// Bounds with ν, brought into the domain of ℓ*; true where that is better than all before.
  bool improve(std::vector<double> nu, double tolerance, double climbed) {
    project(nu);
    // One search does not use up what there is for all.
    const std::size_t rest = most_nodes_ - nodes_;
    const PriceBudget budget{
        tolerance, options_.cuts > 0 ? std::max(rest / 2, std::min<std::size_t>(rest, 500)) : rest,
        options_.bytes, searches_ == 0 ? options_.relaxation_steps : 0,
        options_.seconds - started_.seconds()};
    const bool joint = model_.grouping == Penalty::neuron;
    price_ = largest_price(samples_, nu, c_, joint, enough(nu, std::max(climbed, beta_), tolerance),
                           budget, host_, control_);
    ++searches_;
    nodes_ = std::min(nodes_ + price_.nodes, most_nodes_);
    peak_bytes_ = std::max(peak_bytes_, price_.peak_bytes);
    // ν may miss the domain by a few roundings of the weights; prices then move by as much.
    const double above = price_.above + shifted_;
    const double value = std::isfinite(above) ? dual(nu, above) : 0;
    // No loss is negative: 0 is a bound always, also where the range of float64 was left.
    const double bound = std::max((value - rounding_) / point_.total_weight, 0.0);
    if (searches_ > 1 && !(bound > best_.bound)) return false;
    best_.bound = bound;
    best_.method = price_.method;
    best_.complete = price_.complete;
    best_.price_above = above / beta_;
    best_.price_below = price_.below / beta_;
    return true;
  }

  void project(std::vector<double>& nu) const {
    for (std::size_t k = 0; k < samples_.rows(); ++k) {
      double* row = nu.data() + k * c_;
      for (std::size_t o = 0; o < c_; ++o) row[o] = weight(k) > 0 ? row[o] / weight(k) : 0;
      losses::project_dual(certificate_.loss, row, &point_.targets[k * c_], c_);
      for (std::size_t o = 0; o < c_; ++o) row[o] *= weight(k);
    }
  }

  const NetworkModel& model_;
  const Certificate& certificate_;
  const GlobalBoundOptions& options_;
  HostAlgebra& host_;
  const RunControl* control_;
  const DualPoint point_;
  const SpannedSamples samples_;
  const std::size_t c_;
  const double beta_;
  const std::size_t most_nodes_;
  double shifted_ = 0;   ///< what prices move by when ν is put exactly into the domain of ℓ*
  double rounding_ = 0;  ///< of the sums of ℓ*, whose terms add up to twice the loss at 0 at most
  RunControl started_;
  LargestPrice price_;      ///< of the last ν
  BestDirections climbed_;  ///< neurons of high price at the certificate's ν
  GlobalBound best_;
  std::vector<double> neurons_;  ///< a network over these is better than the model
  std::size_t searches_ = 0, nodes_ = 0, peak_bytes_ = 0;
};

}  // namespace

GlobalBound global_bound(const NetworkModel& model, const Certificate& certificate,
                         const DataView& data, const std::vector<double>& y, double objective,
                         const GlobalBoundOptions& options, HostAlgebra& host,
                         const RunControl* control) {
  Bounds bounds(model, certificate, data, y, options, host, control);
  bounds.run(objective);
  return bounds.result(objective);
}

std::size_t global_bound_bytes(std::size_t rows, std::size_t features, std::size_t outputs) {
  const std::size_t rank = std::min(rows, features);
  // Samples rotated and of unit length (twice while they are merged), ν, targets and lengths.
  return (rows * (3 * rank + 5 * outputs + 4) + features * rank + host_block * features) *
         sizeof(double);
}

}  // namespace secondorder::convex_relu
