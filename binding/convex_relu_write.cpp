#include <initializer_list>
#include <optional>
#include <utility>

#include "convex_relu_marshal.hpp"

namespace secondorder::binding {

using convex_relu::Certificate;
using convex_relu::GlobalBound;
using convex_relu::Model;
using convex_relu::NetworkModel;
using convex_relu::Options;
using convex_relu::Progress;
using convex_relu::Report;
using convex_relu::Round;
using convex_relu::Solution;

namespace {

Napi::Value floats(Napi::Env env, const std::vector<double>& values, bool float64) {
  if (float64) return to_js(env, values);
  auto array = Napi::Float32Array::New(env, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) array[i] = static_cast<float>(values[i]);
  return array;
}

/// Lines as columns of numbers, by name.
template <class Line>
Napi::Object write_columns(Napi::Env env, const std::vector<Line>& lines,
                           std::initializer_list<std::pair<const char*, double Line::*>> columns) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [column, member] : columns) {
    auto array = Napi::Float64Array::New(env, lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) array[i] = lines[i].*member;
    object.Set(column, array);
  }
  return object;
}

Napi::Value number_or_null(Napi::Env env, const std::optional<GlobalBound>& bound,
                           double GlobalBound::*member) {
  if (!bound) return env.Null();
  return Napi::Number::New(env, (*bound).*member);
}

/// Only of a sampled convex program.
void write_drawn(Napi::Env env, const std::optional<convex_relu::DrawnDirections>& drawn,
                 Napi::Object object) {
  if (!drawn) return;
  Napi::Object directions = Napi::Object::New(env);
  directions.Set("seed", static_cast<double>(drawn->seed));
  directions.Set("count", static_cast<double>(drawn->count));
  object.Set("drawn", directions);
}

/// Null for a program that was not sampled.
Napi::Value write_sampling(Napi::Env env,
                           const std::optional<convex_relu::SamplingReport>& sampling) {
  if (!sampling) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("directions", static_cast<double>(sampling->directions));
  object.Set("drawn", static_cast<double>(sampling->drawn));
  object.Set("xi", sampling->xi);
  object.Set("psi", sampling->psi);
  object.Set("asked", sampling->asked);
  object.Set("tested", static_cast<double>(sampling->tested));
  object.Set("violating", static_cast<double>(sampling->violating));
  object.Set("limit", sampling->limit);
  return object;
}

/// Null for a network that was trained without an adversary.
Napi::Value write_robust(Napi::Env env, const convex_relu::RobustReport& robust) {
  if (robust.epsilon == 0) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("epsilon", robust.epsilon);
  object.Set("programObjective", robust.program_objective);
  object.Set("objective", robust.objective);
  object.Set("descentIterations", static_cast<double>(robust.descent_iterations));
  object.Set("descended", robust.descended);
  object.Set("accuracy", robust.accuracy);
  object.Set("pgdAccuracy", robust.attacked);
  object.Set("certifiedAccuracy", robust.certified);
  return object;
}

}  // namespace

Napi::Object write_model(Napi::Env env, const NetworkModel& model, bool float64) {
  const convex_relu::Preprocessing& p = model.preprocessing;
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", name(model.kind));
  object.Set("penalty", name(model.grouping));
  object.Set("features", static_cast<double>(p.raw_features()));
  object.Set("outputs", static_cast<double>(model.outputs));
  object.Set("mean", to_js(env, p.mean));
  object.Set("scale", to_js(env, p.scale));
  object.Set("components", p.components.empty() ? env.Null() : to_js(env, p.components));
  object.Set("featureScale", p.feature_scale);
  object.Set("biasValue", p.bias_value);
  object.Set("outputBias", to_js(env, model.output_bias));
  object.Set("outputScale", model.output_scale);
  if (model.kind == Model::relu) {
    object.Set("hidden", floats(env, model.hidden, float64));
    object.Set("output", floats(env, model.output, float64));
    object.Set("groups", to_js(env, model.groups));
  } else {
    object.Set("gates", to_js(env, model.gates.rows));
    object.Set("weights", floats(env, model.weights, float64));
  }
  return object;
}

Napi::Object write_certificate(Napi::Env env, const Certificate& certificate, bool float64) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("loss", name(certificate.loss));
  object.Set("beta", certificate.beta);
  object.Set("gates", to_js(env, certificate.gates.rows));
  object.Set("nu", to_js(env, certificate.nu));
  const bool cones = !certificate.mu_rows.empty();
  object.Set("muRows", cones ? to_js(env, certificate.mu_rows) : env.Null());
  object.Set("mu", cones ? floats(env, certificate.mu, float64) : env.Null());
  object.Set("sampleWeights",
             certificate.weights.empty() ? env.Null() : to_js(env, certificate.weights));
  write_drawn(env, certificate.drawn, object);
  if (certificate.epsilon > 0) {
    object.Set("epsilon", certificate.epsilon);
    object.Set("shifts", to_js(env, certificate.shifts));
  }
  return object;
}

Napi::Object write_solution(Napi::Env env, const Solution& solution) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", name(solution.model));
  object.Set("penalty", name(solution.penalty));
  object.Set("loss", name(solution.loss));
  write_drawn(env, solution.drawn, object);
  const bool started = solution.gates.count > 0 || solution.drawn;
  object.Set("features",
             solution.gates.count > 0 ? static_cast<double>(solution.gates.width() - 1) : 0);
  object.Set("outputs", static_cast<double>(solution.outputs));
  object.Set("rows", static_cast<double>(solution.rows));
  object.Set("rho", solution.rho);
  object.Set("tau", solution.tau);
  object.Set("beta", solution.beta);
  object.Set("gates", started ? to_js(env, solution.gates.rows) : env.Null());
  object.Set("p", to_js(env, solution.p));
  object.Set("q", solution.q.empty() ? env.Null() : to_js(env, solution.q));
  object.Set("qz", solution.qz.empty() ? env.Null() : to_js(env, solution.qz));
  return object;
}

Napi::Object write_report(Napi::Env env, const Report& report, const Options& options) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("status", name(report.status));
  object.Set("objective", report.verdict.objective);
  object.Set("dualBound", report.verdict.dual_bound);
  object.Set("gap", report.verdict.gap);
  object.Set("infeasibility", report.verdict.infeasibility);
  object.Set("globalBound", number_or_null(env, report.global, &GlobalBound::bound));
  object.Set("globalGap", number_or_null(env, report.global, &GlobalBound::gap));
  object.Set("pricingRatio", report.pricing_ratio);
  object.Set("iterations", static_cast<double>(report.iterations));
  object.Set("innerIterations", static_cast<double>(report.inner_iterations));
  object.Set("rounds", static_cast<double>(report.refinement_rounds() + report.global_rounds));
  object.Set("gates", static_cast<double>(report.gates));
  object.Set("neurons", static_cast<double>(report.neurons));
  object.Set("seconds", report.seconds);
  object.Set("peakBytes", static_cast<double>(report.peak_bytes));
  object.Set("gpuBytes", static_cast<double>(report.gpu_bytes));
  object.Set("device", report.device);
  object.Set("deviceReason", report.device_reason);
  object.Set("route", report.route);
  object.Set("seed", static_cast<double>(options.seed));
  object.Set("robust", write_robust(env, report.robust));
  object.Set("sampling", write_sampling(env, report.sampling));
  object.Set("history", write_columns<Progress>(env, report.history,
                                                {{"iteration", &Progress::iteration},
                                                 {"objective", &Progress::objective},
                                                 {"dualBound", &Progress::dual_bound},
                                                 {"gap", &Progress::gap},
                                                 {"infeasibility", &Progress::infeasibility},
                                                 {"rho", &Progress::rho},
                                                 {"seconds", &Progress::seconds}}));
  object.Set("refinement", write_columns<Round>(env, report.rounds,
                                                {{"round", &Round::round},
                                                 {"objective", &Round::objective},
                                                 {"pricingRatio", &Round::pricing_ratio},
                                                 {"neurons", &Round::neurons},
                                                 {"seconds", &Round::seconds}}));
  return object;
}

}  // namespace secondorder::binding
