#include "convex_relu/attack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "algebra/philox.hpp"
#include "convex_relu/model_gradient.hpp"

namespace secondorder::convex_relu {

namespace {

/// Stream of the seed for the starts in the box.
constexpr std::uint64_t start_stream = 44;

/// Rows that are attacked together.
constexpr std::size_t attack_block = 256;

/// Index of the output that a row of targets stands for.
std::size_t target_class(const double* y, std::size_t outputs) {
  return static_cast<std::size_t>(std::max_element(y, y + outputs) - y);
}

std::size_t strongest_rival(const double* outputs, std::size_t count, std::size_t own) {
  std::size_t best = own == 0 ? 1 : 0;
  for (std::size_t o = 0; o < count; ++o) {
    if (o != own && outputs[o] > outputs[best]) best = o;
  }
  return best;
}

double score(AttackGoal goal, const double* outputs, const double* y, std::size_t count) {
  if (goal == AttackGoal::squared) {
    double sum = 0;
    for (std::size_t o = 0; o < count; ++o) sum -= (outputs[o] - y[o]) * (outputs[o] - y[o]);
    return sum;
  }
  if (count == 1) return y[0] * outputs[0];
  const std::size_t own = target_class(y, count);
  return outputs[own] - outputs[strongest_rival(outputs, count, own)];
}

/// Derivative of the score along each output.
void score_slopes(AttackGoal goal, const double* outputs, const double* y, std::size_t count,
                  double* slopes) {
  std::fill_n(slopes, count, 0.0);
  if (goal == AttackGoal::squared) {
    for (std::size_t o = 0; o < count; ++o) slopes[o] = -2 * (outputs[o] - y[o]);
  } else if (count == 1) {
    slopes[0] = y[0];
  } else {
    const std::size_t own = target_class(y, count);
    slopes[own] = 1;
    slopes[strongest_rival(outputs, count, own)] = -1;
  }
}

/// Radius of each input in s-space.
std::vector<double> radii(const Preprocessing& preprocessing, const AttackOptions& options) {
  std::vector<double> radius;
  for (const double scale : preprocessing.scale) {
    const bool raw = options.units == AttackUnits::input;
    radius.push_back(scale > 0 ? options.epsilon / (raw ? scale : 1) : 0);
  }
  return radius;
}

double sign(double value) { return value > 0 ? 1 : (value < 0 ? -1 : 0); }

/// One block of samples under attack.
class Block {
 public:
  Block(const NetworkModel& model, const AttackOptions& options, const std::vector<double>& radius,
        ConstView<double> s, const double* y, std::size_t first_row, HostAlgebra& host)
      : model_(model),
        options_(options),
        radius_(radius),
        s_(s),
        y_(y),
        first_row_(first_row),
        host_(host),
        gradient_(model, s.rows),
        moved_(s.size()),
        shifts_(s.size()),
        best_(s.size()),
        scores_(s.rows),
        best_scores_(s.rows, std::numeric_limits<double>::infinity()),
        slopes_(s.rows * model.outputs),
        along_(s.size()) {}

  /// The shifts found.
  const std::vector<double>& run() {
    if (options_.method == AttackMethod::fgsm) {
      evaluate(true);
      step(1);
      return shifts_;
    }
    const double size = options_.step_size > 0 ? options_.step_size / options_.epsilon
                                               : 2.5 / static_cast<double>(options_.steps);
    for (std::size_t restart = 0; restart < options_.restarts; ++restart) {
      start(restart);
      for (std::size_t k = 0; k < options_.steps; ++k) {
        evaluate(true);
        keep_best();
        step(size);
      }
      evaluate(false);
      keep_best();
    }
    return best_;
  }

 private:
  void start(std::size_t restart) {
    const Philox random(options_.seed, start_stream);
    const std::size_t d = s_.cols;
    for (std::size_t k = 0; k < s_.rows; ++k) {
      const std::uint64_t row = (first_row_ + k) * options_.restarts + restart;
      for (std::size_t j = 0; j < d; ++j) {
        shifts_[k * d + j] = restart == 0 ? 0 : radius_[j] * (2 * random.uniform(row * d + j) - 1);
      }
    }
  }

  /// Scores at s + shifts, and the scores' gradient.
  void evaluate(bool with_gradient) {
    const std::size_t c = model_.outputs;
    for (std::size_t i = 0; i < moved_.size(); ++i) moved_[i] = s_.data[i] + shifts_[i];
    const ConstView<double> outputs = gradient_.outputs({moved_.data(), s_.rows, s_.cols}, host_);
    for (std::size_t k = 0; k < s_.rows; ++k) {
      scores_[k] = score(options_.goal, outputs.row(k), y_ + k * c, c);
      score_slopes(options_.goal, outputs.row(k), y_ + k * c, c, slopes_.data() + k * c);
    }
    if (!with_gradient) return;
    gradient_.along_inputs({slopes_.data(), s_.rows, c}, host_, {along_.data(), s_.rows, s_.cols});
  }

  void keep_best() {
    const std::size_t d = s_.cols;
    for (std::size_t k = 0; k < s_.rows; ++k) {
      if (!(scores_[k] < best_scores_[k])) continue;
      best_scores_[k] = scores_[k];
      std::copy_n(shifts_.data() + k * d, d, best_.data() + k * d);
    }
  }

  /// Down the score by `size` radii, back into the box.
  void step(double size) {
    const std::size_t d = s_.cols;
    for (std::size_t i = 0; i < shifts_.size(); ++i) {
      const double r = radius_[i % d];
      shifts_[i] = std::clamp(shifts_[i] - size * r * sign(along_[i]), -r, r);
    }
  }

  const NetworkModel& model_;
  const AttackOptions& options_;
  const std::vector<double>& radius_;
  ConstView<double> s_;
  const double* y_;
  std::size_t first_row_;
  HostAlgebra& host_;
  ModelGradient gradient_;
  std::vector<double> moved_, shifts_, best_, scores_, best_scores_, slopes_, along_;
};

/// The value nearest to `wanted` whose difference to `centre`, computed in T, is at most `radius`.
template <class T>
double inside(double wanted, double centre, double radius) {
  const T middle = static_cast<T>(centre);
  T value = static_cast<T>(std::clamp(wanted, centre - radius, centre + radius));
  while (static_cast<double>(std::abs(value - middle)) > radius) {
    value = std::nextafter(value, middle);
  }
  return static_cast<double>(value);
}

}  // namespace

void attack_scores(AttackGoal goal, ConstView<double> outputs, const double* targets,
                   double* scores) {
  for (std::size_t k = 0; k < outputs.rows; ++k) {
    scores[k] = score(goal, outputs.row(k), targets + k * outputs.cols, outputs.cols);
  }
}

std::vector<double> attack_shifts(const NetworkModel& model, const DataView& data,
                                  const std::vector<double>& y, const AttackOptions& options,
                                  HostAlgebra& host) {
  const std::size_t d = data.cols, c = model.outputs;
  const std::vector<double> radius = radii(model.preprocessing, options);
  std::vector<double> shifts(data.rows * d), s(std::min(attack_block, data.rows) * d);
  for (std::size_t first = 0; first < data.rows; first += attack_block) {
    host.checkpoint();
    const View<double> block(s.data(), std::min(attack_block, data.rows - first), d);
    model.preprocessing.standardize(data, first, host, block);
    const std::vector<double>& found =
        Block(model, options, radius, block, y.data() + first * c, first, host).run();
    std::copy_n(found.data(), block.size(), shifts.data() + first * d);
  }
  return shifts;
}

std::vector<double> attack(const NetworkModel& model, const DataView& data,
                           const std::vector<double>& y, const AttackOptions& options, bool single,
                           HostAlgebra& host) {
  const std::size_t d = data.cols;
  std::vector<double> moved = attack_shifts(model, data, y, options, host), row(d);
  for (std::size_t k = 0; k < data.rows; ++k) {
    data.read_row(k, row.data());
    for (std::size_t j = 0; j < d; ++j) {
      const double scale = model.preprocessing.scale[j];
      const double radius = scale <= 0                            ? 0
                            : options.units == AttackUnits::input ? options.epsilon
                                                                  : options.epsilon * scale;
      double& value = moved[k * d + j];
      const double wanted = row[j] + value * scale;
      value =
          single ? inside<float>(wanted, row[j], radius) : inside<double>(wanted, row[j], radius);
    }
  }
  return moved;
}

}  // namespace secondorder::convex_relu
