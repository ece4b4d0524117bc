#include "convex_relu.hpp"

#include <optional>

#include "base/memory_facts.hpp"
#include "convex_relu/route.hpp"
#include "convex_relu/scp_sampling.hpp"
#include "convex_relu_marshal.hpp"
#include "job.hpp"

namespace secondorder::binding {
namespace {

using convex_relu::HostAlgebra;

std::size_t sample_count(const DataView& data, const std::vector<double>& y, std::size_t outputs,
                         const Fields& spec) {
  if (y.size() == data.rows * outputs && data.rows > 0) return data.rows;
  throw Error(ErrorCode::dimension_mismatch,
              spec.path("y") + " must have " + std::to_string(data.rows * outputs) +
                  " numbers, got " + std::to_string(y.size()),
              spec.path("y"));
}

/// convexReluTrain(spec, run) -> { model, certificate, solution, report }
class Train final : public Task {
 public:
  explicit Train(const Fields& spec) : x_(spec.object("x")), float64_(read_float64(spec)) {
    request_.data = x_.view();
    request_.outputs = static_cast<std::size_t>(spec.integer("outputs", 1, 1 << 20));
    request_.y = doubles(spec, "y");
    const std::size_t rows = sample_count(request_.data, request_.y, request_.outputs, spec);
    request_.weights = optional_doubles(spec, "sampleWeights", rows);
    request_.options = read_options(spec, request_.data.cols, given_gates_);
    const auto warm_start = spec.optional_object("warmStart");
    if (!warm_start) return;
    if (warm_start->string("kind") == "network") {
      network_ = read_model(relabelled(*warm_start));
      request_.warm_network = &*network_;
    } else {
      solution_ = read_solution(*warm_start);
      if (solution_->gates.count > 0 || solution_->drawn) request_.warm_solution = &*solution_;
    }
  }

  void run(RunControl& control) override {
    result_ = float64_ ? convex_relu::train<double>(request_, control)
                       : convex_relu::train<float>(request_, control);
  }

  Napi::Value deliver(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("model", write_model(env, result_.model, float64_));
    result.Set("certificate", write_certificate(env, result_.certificate, float64_));
    result_.certificate = {};  // the largest parts need not stand beside all copies
    result.Set("solution", write_solution(env, result_.solution));
    result_.solution = {};
    result.Set("report", write_report(env, result_.report, request_.options));
    return result;
  }

  std::size_t bytes() const override { return x_.bytes() + request_.y.size() * sizeof(double); }

 private:
  /// A network comes as a model whose kind says that it is one.
  static Fields relabelled(const Fields& network) {
    Napi::Object model = Napi::Object::New(network.env());
    const Napi::Array names = network.object().GetPropertyNames();
    for (std::uint32_t i = 0; i < names.Length(); ++i) {
      model.Set(names.Get(i), network.object().Get(names.Get(i)));
    }
    model.Set("kind", "relu");
    return Fields(model, "warmStart");
  }

  InputData x_;
  bool float64_;
  std::vector<double> given_gates_;
  std::optional<convex_relu::NetworkModel> network_;
  std::optional<convex_relu::Solution> solution_;
  convex_relu::Request request_;
  convex_relu::Result result_;
};

std::unique_ptr<Task> make_train(const Fields& spec) { return std::make_unique<Train>(spec); }

/// convexReluPredict({ model, x }, run) -> n × outputs numbers, in the precision of the weights
class Predict final : public Task {
 public:
  explicit Predict(const Fields& spec)
      : input_(spec), float64_(has_float64_weights(spec.object("model"))) {}

  void run(RunControl& control) override {
    HostAlgebra host(control.threads);
    host.watch(&control);
    run_stoppable(
        control, [&] { predictions_ = convex_relu::predict(input_.model, input_.x.view(), host); });
  }

  Napi::Value deliver(Napi::Env env) override {
    if (float64_) return to_js(env, predictions_);
    const std::vector<float> rounded(predictions_.begin(), predictions_.end());
    return to_js(env, rounded);
  }

  std::size_t bytes() const override { return input_.x.bytes(); }

 private:
  static bool has_float64_weights(const Fields& model) {
    const char* weights = model.has("hidden") ? "hidden" : "weights";
    return std::holds_alternative<InputArray<double>>(model.real_array(weights));
  }

  ModelInput input_;
  bool float64_;
  std::vector<double> predictions_;
};

std::unique_ptr<Task> make_predict(const Fields& spec) { return std::make_unique<Predict>(spec); }

/// convexReluVerify({ model, certificate, x, y }, run) -> { objective, dualBound, gap,
/// infeasibility }
class Verify final : public Task {
 public:
  explicit Verify(const Fields& spec)
      : input_(spec),
        certificate_(read_certificate(spec.object("certificate"), input_.model)),
        y_(doubles(spec, "y")) {
    sample_count(input_.x.view(), y_, input_.model.outputs, spec);
  }

  void run(RunControl& control) override {
    HostAlgebra host(control.threads);
    host.watch(&control);
    run_stoppable(control, [&] {
      verdict_ = convex_relu::verify(input_.model, certificate_, input_.x.view(), y_, host);
    });
  }

  Napi::Value deliver(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("objective", verdict_.objective);
    result.Set("dualBound", verdict_.dual_bound);
    result.Set("gap", verdict_.gap);
    result.Set("infeasibility", verdict_.infeasibility);
    return result;
  }

 private:
  ModelInput input_;
  convex_relu::Certificate certificate_;
  std::vector<double> y_;
  convex_relu::Verdict verdict_;
};

/// convexReluObjective({ model, x, y, loss, beta, sampleWeights? }) -> F
Napi::Value objective(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  const ModelInput input(spec);
  const DataView data = input.x.view();
  const std::vector<double> y = doubles(spec, "y");
  const std::size_t rows = sample_count(data, y, input.model.outputs, spec);
  const std::vector<double> weights = optional_doubles(spec, "sampleWeights", rows);
  HostAlgebra host(0);
  return Napi::Number::New(
      info.Env(), convex_relu::objective(input.model, data, y, weights, spec.choice<Loss>("loss"),
                                         spec.number("beta", non_negative), host));
}

/// convexReluEstimateMemory({ rows, cols, outputs, …options }) -> { bytes, gpuBytes, route,
/// device }
Napi::Value estimate_memory(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  const auto whole = [&](const char* name) {
    return static_cast<std::size_t>(spec.integer(name, 1, std::numeric_limits<int>::max()));
  };
  std::vector<double> given_gates;
  const std::size_t rows = whole("rows"), cols = whole("cols"), outputs = whole("outputs");
  const convex_relu::Options options = read_options(spec, cols, given_gates);
  const auto estimate = read_float64(spec)
                            ? convex_relu::estimate_memory<double>(rows, cols, outputs, options, 0)
                            : convex_relu::estimate_memory<float>(rows, cols, outputs, options, 0);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("bytes", static_cast<double>(estimate.bytes));
  result.Set("gpuBytes", static_cast<double>(estimate.gpu_bytes));
  result.Set("route", estimate.route);
  result.Set("device", estimate.device);
  return result;
}

/// convexReluSampleCount({ decisions, psi, xi }) -> N
Napi::Value scp_count(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  const Interval share{.low = 0, .high = 1, .without_low = true, .without_high = true};
  return Napi::Number::New(info.Env(), convex_relu::scp_sample_count(
                                           spec.number("decisions", positive),
                                           spec.number("psi", share), spec.number("xi", share)));
}

}  // namespace

void register_convex_relu(Napi::Env, Napi::Object exports) {
  export_job<make_train>(exports, "convexReluTrain");
  export_job<make_predict>(exports, "convexReluPredict");
  export_job<make<Verify>>(exports, "convexReluVerify");
  export_function<objective>(exports, "convexReluObjective");
  export_function<estimate_memory>(exports, "convexReluEstimateMemory");
  export_function<scp_count>(exports, "convexReluSampleCount");
}

}  // namespace secondorder::binding
