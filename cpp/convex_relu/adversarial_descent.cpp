#include "convex_relu/adversarial_descent.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "algebra/philox.hpp"
#include "convex_relu/adversarial_program.hpp"

namespace secondorder::convex_relu {

namespace {

/// Stream of the seed for random neurons.
constexpr std::uint64_t neuron_stream = 45;

/// Adam's; of the few steps of the attack in each iteration, and their size in radii; between
/// judgements; of the random neurons.
constexpr double learning_rate = 0.003;
constexpr int attack_steps = 3;
constexpr double attack_step = 0.5;
constexpr std::size_t judge_every = 50;
constexpr double neuron_size = 0.1;

/// Adam (Kingma and Ba, arXiv 1412.6980) with its learning rate on a half cosine down to 0.
class Adam {
 public:
  Adam(std::size_t count, double rate, std::size_t steps)
      : rate_(rate), steps_(steps), mean_(count), square_(count) {}

  void step(const std::vector<double>& gradient, std::vector<double>& at) {
    ++done_;
    const auto t = static_cast<double>(done_);
    const double rate =
        rate_ * 0.5 * (1 + std::cos(std::numbers::pi * t / static_cast<double>(steps_)));
    const double mean_bias = 1 - std::pow(mean_decay, t);
    const double square_bias = 1 - std::pow(square_decay, t);
    for (std::size_t i = 0; i < at.size(); ++i) {
      mean_[i] += (1 - mean_decay) * (gradient[i] - mean_[i]);
      square_[i] += (1 - square_decay) * (gradient[i] * gradient[i] - square_[i]);
      at[i] -= rate * mean_[i] / mean_bias / (std::sqrt(square_[i] / square_bias) + 1e-8);
    }
  }

 private:
  static constexpr double mean_decay = 0.9, square_decay = 0.999;
  double rate_;
  std::size_t steps_, done_ = 0;
  std::vector<double> mean_, square_;
};

double loss_slope(Loss loss, double output, double y) {
  if (loss == Loss::squared) return output - y;
  if (loss == Loss::hinge) return y * output < 1 ? -y : 0;
  return -y / (1 + std::exp(y * output));
}

/// The hinge's slope is all or nothing, and a descent on it fits single samples; the logistic loss
/// stands in for it. What is kept is judged by the loss that was asked for.
Loss smooth(Loss loss) { return loss == Loss::hinge ? Loss::logistic : loss; }

/// Small random neurons of both signs after those that there are, up to the width asked for.
void widen(NetworkModel& model, const DescentOptions& options) {
  const std::size_t f = model.preprocessing.features();
  const Philox random(options.seed, neuron_stream);
  for (std::size_t j = model.neurons(); j < options.width; ++j) {
    for (std::size_t l = 0; l < f; ++l) {
      const double value = random.normal(j * f + l) / std::sqrt(static_cast<double>(f));
      model.hidden.push_back(neuron_size * value);
    }
    model.output.push_back(j % 2 == 0 ? neuron_size : -neuron_size);
    model.groups.push_back(options.first_group + static_cast<std::int32_t>(j));
  }
}

}  // namespace

AttackGoal goal_of(Loss loss) {
  return loss == Loss::squared ? AttackGoal::squared : AttackGoal::margin;
}

double attacked_objective(const NetworkModel& model, const DataView& data,
                          const std::vector<double>& y, const std::vector<double>& weights,
                          Loss loss, double beta, const AttackOptions& attack, HostAlgebra& host) {
  const std::vector<double> moved = convex_relu::attack(model, data, y, attack, false, host);
  DataView attacked;
  attacked.values64 = moved;
  attacked.rows = data.rows;
  attacked.cols = data.cols;
  return objective(model, attacked, y, weights, loss, beta, host);
}

namespace {

/// The network under descent: one vector of hidden and output weights, with the gradient of J.
class Descender {
 public:
  Descender(NetworkModel& model, const double* y, const std::vector<double>& weights,
            const DescentOptions& options, ConstView<double> s, const std::vector<double>& radius)
      : model_(model),
        y_(y),
        weights_(weights),
        options_(options),
        hidden_count_(model.hidden.size()),
        parameters_(model.hidden),
        adam_(hidden_count_ + model.output.size(), learning_rate, options.iterations),
        box_(model, goal_of(options.loss), s, y, radius),
        slopes_(s.rows),
        back_(s.rows * model.neurons()) {
    parameters_.insert(parameters_.end(), model.output.begin(), model.output.end());
    gradient_.resize(parameters_.size());
    for (std::size_t k = 0; k < s.rows; ++k) total_ += weight(k);
  }

  void iterate(HostAlgebra& host) {
    for (int step = 0; step < attack_steps; ++step) {
      box_.evaluate(host);
      box_.step(attack_step, host);
    }
    box_.evaluate(host);
    find_gradient(host);
    adam_.step(gradient_, parameters_);
    std::copy_n(parameters_.data(), hidden_count_, model_.hidden.data());
    std::copy_n(parameters_.data() + hidden_count_, model_.output.size(), model_.output.data());
  }

 private:
  double weight(std::size_t k) const { return weights_.empty() ? 1 : weights_[k]; }

  /// Of J at the moved samples.
  void find_gradient(HostAlgebra& host) {
    const ConstView<double> hidden = box_.gradient().hidden(), z = box_.gradient().features();
    const std::size_t n = z.rows, neurons = hidden.cols;
    const Loss loss = smooth(options_.loss);
    for (std::size_t k = 0; k < n; ++k) {
      slopes_[k] = weight(k) * loss_slope(loss, box_.outputs().row(k)[0], y_[k]) / total_;
    }
    host.for_rows(n, 2 * neurons, [&](std::size_t first, std::size_t last) {
      for (std::size_t k = first; k < last; ++k) {
        for (std::size_t j = 0; j < neurons; ++j) {
          back_[k * neurons + j] = hidden.row(k)[j] > 0 ? slopes_[k] * model_.output[j] : 0;
        }
      }
    });
    for (std::size_t i = 0; i < gradient_.size(); ++i) {
      gradient_[i] = options_.beta * parameters_[i];
    }
    host.multiply(1, {back_.data(), n, neurons}, Transpose::yes, z, Transpose::no, 1,
                  {gradient_.data(), neurons, z.cols});
    host.multiply(1, hidden, Transpose::yes, {slopes_.data(), n, 1}, Transpose::no, 1,
                  {gradient_.data() + hidden_count_, neurons, 1});
  }

  NetworkModel& model_;
  const double* y_;
  const std::vector<double>& weights_;
  const DescentOptions& options_;
  std::size_t hidden_count_;
  std::vector<double> parameters_, gradient_;
  Adam adam_;
  BoxAttack box_;
  std::vector<double> slopes_, back_;
  double total_ = 0;
};

}  // namespace

Descent descend_adversarially(const NetworkModel& start, const DataView& data,
                              const std::vector<double>& y, const std::vector<double>& weights,
                              const DescentOptions& options, const RunControl& control,
                              HostAlgebra& host) {
  const std::size_t n = data.rows, d = data.cols;
  std::vector<double> s(n * d);
  start.preprocessing.standardize(data, 0, host, {s.data(), n, d});
  std::vector<double> radius = feature_radius(start.preprocessing, options.epsilon);
  radius.resize(d);  // without the bias
  AttackOptions strong;
  strong.epsilon = options.epsilon;
  strong.goal = goal_of(options.loss);
  strong.restarts = 2;
  strong.seed = options.seed;
  const auto judged = [&](const NetworkModel& model) {
    return attacked_objective(model, data, y, weights, options.loss, options.beta, strong, host);
  };
  Descent best{start, judged(start), 0, 0};
  best.after = best.before;
  NetworkModel model = start;
  widen(model, options);
  Descender descender(model, y.data(), weights, options, {s.data(), n, d}, radius);
  for (std::size_t k = 1; k <= options.iterations && !control.out_of_time(); ++k) {
    host.checkpoint();
    descender.iterate(host);
    best.iterations = k;
    if (k % judge_every != 0 && k != options.iterations) continue;
    const double now = judged(model);
    if (now < best.after) {
      best.model = model;
      best.after = now;
    }
  }
  return best;
}

}  // namespace secondorder::convex_relu
