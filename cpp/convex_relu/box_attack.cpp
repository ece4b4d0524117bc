#include "convex_relu/box_attack.hpp"

#include <algorithm>

namespace secondorder::convex_relu {

namespace {

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

double sign(double value) { return value > 0 ? 1 : (value < 0 ? -1 : 0); }

}  // namespace

void attack_scores(AttackGoal goal, ConstView<double> outputs, const double* targets,
                   double* scores) {
  for (std::size_t k = 0; k < outputs.rows; ++k) {
    scores[k] = score(goal, outputs.row(k), targets + k * outputs.cols, outputs.cols);
  }
}

BoxAttack::BoxAttack(const NetworkModel& model, AttackGoal goal, ConstView<double> s,
                     const double* y, const std::vector<double>& radius)
    : goal_(goal),
      s_(s),
      y_(y),
      radius_(radius),
      gradient_(model, s.rows),
      moved_(s.size()),
      shifts_(s.size()),
      scores_(s.rows),
      slopes_(s.rows * model.outputs),
      along_(s.size()) {}

void BoxAttack::evaluate(HostAlgebra& host) {
  for (std::size_t i = 0; i < moved_.size(); ++i) moved_[i] = s_.data[i] + shifts_[i];
  outputs_ = gradient_.outputs({moved_.data(), s_.rows, s_.cols}, host);
  const std::size_t c = outputs_.cols;
  attack_scores(goal_, outputs_, y_, scores_.data());
  for (std::size_t k = 0; k < s_.rows; ++k) {
    score_slopes(goal_, outputs_.row(k), y_ + k * c, c, slopes_.data() + k * c);
  }
}

void BoxAttack::step(double size, HostAlgebra& host) {
  const std::size_t d = s_.cols;
  gradient_.along_inputs({slopes_.data(), s_.rows, outputs_.cols}, host,
                         {along_.data(), s_.rows, d});
  for (std::size_t i = 0; i < shifts_.size(); ++i) {
    const double r = radius_[i % d];
    shifts_[i] = std::clamp(shifts_[i] - size * r * sign(along_[i]), -r, r);
  }
}

}  // namespace secondorder::convex_relu
