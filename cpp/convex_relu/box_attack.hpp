// Samples moved within boxes, by steps along the sign of the gradient of what is to be lowered.
#pragma once

#include <vector>

#include "convex_relu/model_gradient.hpp"

namespace secondorder::convex_relu {

/// What an attack lowers: the margin of the target's class (y·ŷ for one output of ±1, otherwise the
/// lead of the output whose target is largest), or −(ŷ − y)² summed.
enum class AttackGoal { margin, squared };

/// The score of each row of outputs, for rows of targets.
void attack_scores(AttackGoal goal, ConstView<double> outputs, const double* targets,
                   double* scores);

class BoxAttack {
 public:
  /// Rows of s-space, their targets (rows × outputs) and the radius of each of the d inputs in s.
  /// All must outlive this; the model's weights may change in between. Starts at the samples.
  BoxAttack(const NetworkModel& model, AttackGoal goal, ConstView<double> s, const double* y,
            const std::vector<double>& radius);

  /// What was added to the rows of s so far; may be written to.
  View<double> shifts() { return {shifts_.data(), s_.rows, s_.cols}; }
  /// Outputs at the moved rows, and the scores that the attack lowers.
  void evaluate(HostAlgebra& host);
  /// Down the gradient of the last evaluate()'s scores by `size` radii, and back into the box.
  void step(double size, HostAlgebra& host);

  const std::vector<double>& scores() const { return scores_; }
  ConstView<double> outputs() const { return outputs_; }
  const ModelGradient& gradient() const { return gradient_; }

 private:
  AttackGoal goal_;
  ConstView<double> s_;
  const double* y_;
  const std::vector<double>& radius_;
  ModelGradient gradient_;
  ConstView<double> outputs_;
  std::vector<double> moved_, shifts_, scores_, slopes_, along_;
};

}  // namespace secondorder::convex_relu
