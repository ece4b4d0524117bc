// convexReluAttack and convexReluRobustness: inputs moved to fool a network, and how it stands up
// to it.
#include "convex_relu_attack.hpp"

#include "convex_relu/robustness.hpp"
#include "convex_relu_marshal.hpp"
#include "job.hpp"

namespace secondorder::binding {
namespace {

using convex_relu::AttackMethod;
using convex_relu::AttackOptions;
using convex_relu::HostAlgebra;

AttackOptions read_attack(const Fields& spec) {
  constexpr std::int64_t most = (std::int64_t{1} << 31) - 1;
  AttackOptions options;
  options.method = spec.choice<AttackMethod>("method");
  options.units = spec.choice<convex_relu::AttackUnits>("units");
  options.goal = spec.choice<convex_relu::AttackGoal>("goal");
  options.epsilon = spec.number("epsilon", positive);
  options.steps = static_cast<std::size_t>(spec.integer("steps", 1, most));
  options.restarts = static_cast<std::size_t>(spec.integer("restarts", 1, most));
  options.step_size = spec.optional_number("stepSize", positive).value_or(0);
  options.seed = static_cast<std::uint64_t>(spec.integer("seed"));
  return options;
}

/// { model, x, y, …options }
struct Attacked : ModelInput {
  std::vector<double> y;
  AttackOptions options;

  explicit Attacked(const Fields& spec)
      : ModelInput(spec),
        y(doubles(spec, "y", x.view().rows * model.outputs)),
        options(read_attack(spec)) {}
};

/// convexReluAttack(spec, run) -> n × features, in the precision of x
class Attack final : public Task {
 public:
  explicit Attack(const Fields& spec) : input_(spec), single_(!input_.x.view().values32.empty()) {}

  void run(RunControl& control) override {
    HostAlgebra host(control.threads);
    host.watch(&control, StopOn::time_limit);
    run_stoppable(control, [&] {
      moved_ = convex_relu::attack(input_.model, input_.x.view(), input_.y, input_.options, single_,
                                   host);
    });
  }

  Napi::Value deliver(Napi::Env env) override {
    if (!single_) return to_js(env, moved_);
    const std::vector<float> rounded(moved_.begin(), moved_.end());
    return to_js(env, rounded);
  }

  std::size_t bytes() const override { return 2 * input_.x.bytes(); }

 private:
  Attacked input_;
  bool single_;
  std::vector<double> moved_;
};

/// convexReluRobustness(spec, run) -> { accuracy, pgdAccuracy, certifiedAccuracy }
class Robustness final : public Task {
 public:
  explicit Robustness(const Fields& spec) : input_(spec) {}

  void run(RunControl& control) override {
    HostAlgebra host(control.threads);
    host.watch(&control, StopOn::time_limit);
    run_stoppable(control, [&] {
      result_ = convex_relu::measure_robustness(input_.model, input_.x.view(), input_.y,
                                                input_.options, host);
    });
  }

  Napi::Value deliver(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("accuracy", result_.accuracy);
    result.Set("attackedAccuracy", result_.attacked);
    result.Set("certifiedAccuracy", result_.certified);
    return result;
  }

  std::size_t bytes() const override { return 2 * input_.x.bytes(); }

 private:
  Attacked input_;
  convex_relu::Robustness result_;
};

}  // namespace

void register_convex_relu_attack(Napi::Env, Napi::Object exports) {
  export_job<make<Attack>>(exports, "convexReluAttack");
  export_job<make<Robustness>>(exports, "convexReluRobustness");
}

}  // namespace secondorder::binding
