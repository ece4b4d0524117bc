// Attacks, what they are judged by, and the descent on the loss under attack.
#include <doctest/doctest.h>

#include "convex_relu/adversarial_descent.hpp"
#include "convex_relu/certified_bounds.hpp"
#include "convex_relu/model_gradient.hpp"
#include "convex_relu/robustness.hpp"
#include "robust_reference.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

TEST_CASE("certified bounds lie below every output in the box") {
  Random random(10);
  HostAlgebra host(1);
  for (int trial = 0; trial < 30; ++trial) {
    const std::size_t f = 1 + random.below(4), neurons = random.below(8), c = 1 + random.below(3);
    NetworkModel model;
    model.outputs = c;
    model.preprocessing.mean.assign(f, 0);
    model.preprocessing.scale.assign(f, 1);
    for (std::size_t i = 0; i < neurons * f; ++i) model.hidden.push_back(random.normal());
    for (std::size_t i = 0; i < neurons * c; ++i) model.output.push_back(random.normal());
    for (std::size_t o = 0; o < c; ++o) model.output_bias.push_back(random.normal());
    model.output_scale = 0.5 + random.uniform();
    std::vector<double> radius(f), combination(c), z(f);
    for (double& r : radius) r = random.uniform();
    for (double& value : combination) value = random.normal();
    for (double& value : z) value = random.normal();
    CertifiedBounds bounds(model, radius);
    const double low = bounds.lower({z.data(), 1, f}, {combination.data(), 1, c}, host)[0];
    double least = 1e300;
    for (int point = 0; point < 500; ++point) {
      std::vector<double> moved(z);
      for (std::size_t j = 0; j < f; ++j) {
        moved[j] += radius[j] * (point % 2 == 0 ? random.label() : 2 * random.uniform() - 1);
      }
      DataView one;
      one.values64 = moved;
      one.rows = 1;
      one.cols = f;
      const std::vector<double> output = predict(model, one, host);
      double value = 0;
      for (std::size_t o = 0; o < c; ++o) value += combination[o] * output[o];
      least = std::min(least, value);
    }
    CHECK(low <= least + 1e-12);
    if (neurons == 0) CHECK(low == doctest::Approx(least));
  }
}

TEST_CASE("gradients along inputs are those of finite differences") {
  Random random(11);
  HostAlgebra host(1);
  for (const Model kind : {Model::relu, Model::gated}) {
    const std::size_t d = 4, units = 5, c = 2, kept = 3;
    NetworkModel model;
    model.kind = kind;
    model.outputs = c;
    Preprocessing& p = model.preprocessing;
    for (std::size_t j = 0; j < d; ++j) p.mean.push_back(random.normal());
    p.scale.assign(d, 1.5);
    for (std::size_t i = 0; i < kept * d; ++i) p.components.push_back(random.normal());
    p.feature_scale = 0.7;
    p.bias_value = 1;
    model.output_bias.assign(c, 0.3);
    model.output_scale = 2;
    const std::size_t f = kept + 1;
    for (std::size_t i = 0; i < units * f; ++i) model.hidden.push_back(random.normal());
    for (std::size_t i = 0; i < units * c; ++i) model.output.push_back(random.normal());
    for (std::size_t i = 0; i < units * (d + 1); ++i) model.gates.rows.push_back(random.normal());
    model.gates.count = units;
    for (std::size_t i = 0; i < c * units * f; ++i) model.weights.push_back(random.normal());
    std::vector<double> s(d), slopes{0.4, -1.1}, gradient(d);
    for (double& value : s) value = random.normal();
    ModelGradient along(model, 1);
    along.outputs({s.data(), 1, d}, host);
    along.along_inputs({slopes.data(), 1, c}, host, {gradient.data(), 1, d});
    for (std::size_t j = 0; j < d; ++j) {
      const auto value = [&](double step) {
        std::vector<double> moved(s);
        moved[j] += step;
        const ConstView<double> output = along.outputs({moved.data(), 1, d}, host);
        return slopes[0] * output.row(0)[0] + slopes[1] * output.row(0)[1];
      };
      CHECK(gradient[j] == doctest::Approx((value(1e-6) - value(-1e-6)) / 2e-6).epsilon(1e-6));
    }
  }
}

TEST_CASE("attacks stay in their boxes in the arithmetic of x, and do what they are for") {
  Problem problem = robust_training_problem(60, 3, Loss::hinge, 12);
  problem.options.preprocess = Preprocess::standardize;
  problem.options.tolerance = 1e-3;
  const Result result = train_robustly(problem);
  HostAlgebra host(2);
  const std::vector<float> single(problem.x.begin(), problem.x.end());
  DataView data32 = problem.data();
  data32.values64 = {};
  data32.values32 = single;
  for (const AttackMethod method : {AttackMethod::fgsm, AttackMethod::pgd}) {
    for (const AttackUnits units : {AttackUnits::input, AttackUnits::solver}) {
      AttackOptions options;
      options.method = method;
      options.units = units;
      options.epsilon = 0.3;
      const auto& scale = result.model.preprocessing.scale;
      const auto radius = [&](std::size_t j) {
        return units == AttackUnits::input ? 0.3 : 0.3 * scale[j];
      };
      const std::vector<double> moved =
          attack(result.model, problem.data(), problem.y, options, false, host);
      const std::vector<double> moved32 =
          attack(result.model, data32, problem.y, options, true, host);
      double furthest = 0;
      for (std::size_t i = 0; i < moved.size(); ++i) {
        CHECK(std::abs(moved[i] - problem.x[i]) <= radius(i % 3));
        const auto value = static_cast<float>(moved32[i]);
        CHECK(static_cast<double>(value) == moved32[i]);
        CHECK(static_cast<double>(std::abs(value - single[i])) <= radius(i % 3));
        furthest = std::max(furthest, std::abs(moved[i] - problem.x[i]) / radius(i % 3));
      }
      CHECK(furthest > 0.99);
    }
  }
  AttackOptions options;
  options.epsilon = 0.2;
  const Robustness robustness =
      measure_robustness(result.model, problem.data(), problem.y, options, host);
  CHECK(robustness.accuracy >= robustness.attacked);
  CHECK(robustness.attacked >= robustness.certified);
  // Within its cones the network is linear in each box: PGD finds the worst, and it is certified.
  CHECK(robustness.attacked == robustness.certified);
  AttackOptions threads = options;
  HostAlgebra one(1);
  CHECK(attack(result.model, problem.data(), problem.y, threads, false, one) ==
        attack(result.model, problem.data(), problem.y, threads, false, host));
}

TEST_CASE("the descent is kept only where the worst case under attack falls") {
  Problem problem = robust_training_problem(60, 3, Loss::hinge, 13);
  problem.options.tolerance = 1e-3;
  const Result start = train_robustly(problem);
  HostAlgebra host(1);
  DescentOptions options;
  options.loss = Loss::hinge;
  options.beta = problem.options.beta;
  options.epsilon = *problem.options.epsilon;
  options.width = 8;
  const Descent descent = descend_adversarially(start.model, problem.data(), problem.y, {}, options,
                                                RunControl{}, host);
  CHECK(descent.before == doctest::Approx(start.report.verdict.objective).epsilon(1e-3));
  CHECK(descent.after <= descent.before);
  CHECK(corner_objective(descent.model, problem) <= descent.before * (1 + 1e-6));
  options.beta = 1e3;  // nothing is worth any weight: the start, or less
  const Descent none = descend_adversarially(start.model, problem.data(), problem.y, {}, options,
                                             RunControl{}, host);
  CHECK(none.after <= none.before);
}
