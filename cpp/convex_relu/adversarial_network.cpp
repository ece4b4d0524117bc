#include "convex_relu/adversarial_network.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/adversarial_descent.hpp"
#include "convex_relu/robustness.hpp"

namespace secondorder::convex_relu {

namespace {

template <class Real>
void round_to(std::vector<double>& values) {
  for (double& value : values) value = static_cast<double>(static_cast<Real>(value));
}

DescentOptions descent_options(const Options& options, std::size_t first_group) {
  DescentOptions descent;
  descent.loss = options.loss;
  descent.beta = options.beta;
  descent.epsilon = *options.epsilon;
  descent.width = options.gates;
  descent.first_group = static_cast<std::int32_t>(first_group);
  descent.seed = options.seed;
  return descent;
}

}  // namespace

template <class Real>
void descend(const RobustTraining& training, std::size_t first_group, NetworkModel& model,
             RobustReport& report) {
  const Targets& targets = training.targets;
  Descent descent = descend_adversarially(model, training.data, targets.y, targets.weights,
                                          descent_options(training.request.options, first_group),
                                          training.control, training.host);
  report.descent_iterations = descent.iterations;
  round_to<Real>(descent.model.hidden);
  round_to<Real>(descent.model.output);
  report.descended = descent.after < descent.before;
  if (!report.descended) return;
  report.objective = descent.after;
  model = std::move(descent.model);
}

void measure(const RobustTraining& training, const NetworkModel& model, RobustReport& report) {
  const std::vector<double>& y = training.targets.y;
  if (!std::all_of(y.begin(), y.end(), [](double label) { return std::abs(label) == 1; })) return;
  AttackOptions attack;
  attack.epsilon = report.epsilon;
  attack.seed = training.request.options.seed;
  const Robustness found = measure_robustness(model, training.data, y, attack, training.host);
  report.accuracy = found.accuracy;
  report.attacked = found.attacked;
  report.certified = found.certified;
}

template void descend<float>(const RobustTraining&, std::size_t, NetworkModel&, RobustReport&);
template void descend<double>(const RobustTraining&, std::size_t, NetworkModel&, RobustReport&);

}  // namespace secondorder::convex_relu
