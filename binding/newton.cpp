#include "newton.hpp"

#include <memory>
#include <string>
#include <utility>

#include "base/thread_pool.hpp"
#include "device.hpp"
#include "job.hpp"
#include "marshal.hpp"
#include "newton/derivative_check.hpp"
#include "newton/minimize.hpp"
#include "newton_problem.hpp"

namespace secondorder::binding {
namespace {

std::size_t read_size(const Fields& options, const char* name, std::size_t otherwise) {
  const auto given = options.optional_integer(name);
  return given ? static_cast<std::size_t>(*given) : otherwise;
}

/// What is left out keeps the core's value.
newton::Options read_options(const Fields& fields) {
  newton::Options options;
  const auto choose = [&fields](const char* name, auto& value) {
    if (fields.has(name)) value = fields.choice<std::remove_reference_t<decltype(value)>>(name);
  };
  choose("preset", options.preset);
  choose("linearSolver", options.linear_solver);
  choose("globalization", options.globalization);
  options.tolerance = fields.optional_number("tolerance", positive).value_or(options.tolerance);
  options.max_iterations = read_size(fields, "maxIterations", options.max_iterations);
  options.seed = read_size(fields, "seed", options.seed);
  options.linear.sketch_size = read_size(fields, "sketchSize", options.linear.sketch_size);
  options.linear.max_steps = read_size(fields, "maxInnerSteps", options.linear.max_steps);
  options.largest_gradient =
      fields.optional_number("largestGradient", non_negative).value_or(options.largest_gradient);
  options.second_order_corrections =
      read_size(fields, "secondOrderCorrections", options.second_order_corrections);
  options.bfgs_memory = read_size(fields, "bfgsMemory", options.bfgs_memory);
  options.device = read_device(fields);
  return options;
}

double number(std::size_t count) { return static_cast<double>(count); }

Napi::Object write_evaluations(Napi::Env env, const newton::Evaluations& counts) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("objective", number(counts.objective));
  object.Set("gradient", number(counts.gradient));
  object.Set("constraint", number(counts.constraint));
  object.Set("jacobian", number(counts.jacobian));
  object.Set("hessian", number(counts.hessian));
  object.Set("hessianProduct", number(counts.hessian_product));
  return object;
}

Napi::Object write_linear(Napi::Env env, const newton::LinearReport& report) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("solver", report.solver);
  object.Set("replacedBy",
             report.replaced_by.empty() ? env.Null() : Napi::String::New(env, report.replaced_by));
  object.Set("factorizations", number(report.factorizations));
  object.Set("innerSteps", number(report.inner_steps));
  object.Set("fallbacks", number(report.fallbacks));
  object.Set("tightenings", number(report.tightenings));
  return object;
}

Napi::Object write_history(Napi::Env env, const std::vector<newton::Progress>& history) {
  using Field = double newton::Progress::*;
  constexpr std::pair<const char*, Field> fields[] = {
      {"iteration", &newton::Progress::iteration},
      {"objective", &newton::Progress::objective},
      {"stationarity", &newton::Progress::stationarity},
      {"infeasibility", &newton::Progress::infeasibility},
      {"scaledKkt", &newton::Progress::scaled_kkt},
      {"step", &newton::Progress::step},
      {"regularization", &newton::Progress::regularization},
      {"innerSteps", &newton::Progress::inner_steps},
      {"seconds", &newton::Progress::seconds}};
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, field] : fields) {
    auto column = Napi::Float64Array::New(env, history.size());
    for (std::size_t i = 0; i < history.size(); ++i) column[i] = history[i].*field;
    object.Set(name, column);
  }
  return object;
}

Napi::Object write_result(Napi::Env env, const newton::Result& result, std::uint64_t seed) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("status", name(result.status));
  object.Set("message", result.message);
  object.Set("x", to_js(env, result.x));
  object.Set("lambda", to_js(env, result.lambda));
  object.Set("objective", result.objective);
  object.Set("stationarity", result.error.stationarity);
  object.Set("infeasibility", result.error.infeasibility);
  object.Set("scaledKkt", result.error.scaled);
  object.Set("iterations", number(result.iterations));
  object.Set("evaluations", write_evaluations(env, result.evaluations));
  object.Set("linear", write_linear(env, result.linear));
  object.Set("device", result.linear.device);
  object.Set("deviceReason", result.linear.device_reason);
  object.Set("restorations", number(result.restorations));
  object.Set("secondOrderCorrections", number(result.second_order_corrections));
  object.Set("meritFallbacks", number(result.merit_fallbacks));
  object.Set("seconds", result.seconds);
  object.Set("seed", static_cast<double>(seed));
  object.Set("history", write_history(env, result.history));
  return object;
}

/// An error of an evaluation, with what the function threw as its cause.
Napi::Error evaluation_error(Napi::Env env, const Error& error,
                             const std::optional<Napi::Error>& thrown) {
  Napi::Error converted = make_error(env, error.code, error.what(), error.argument);
  if (thrown) converted.Value().Set("cause", thrown->Value());
  return converted;
}

/// A task on a problem, wherever it runs.
class ProblemTask : public Task {
 public:
  ProblemTask(const Fields& spec, const std::optional<Fields>& options)
      : source_(spec.object("problem"), options) {}

  void run(RunControl& control) final {
    source_.begin(control);
    try {
      work(control);
    } catch (...) {
      source_.end();
      throw;
    }
    source_.end();
  }
  void prepare_job(Napi::Env env) { source_.prepare_job(env); }
  std::size_t bytes() const override { return source_.bytes(); }

 protected:
  virtual void work(RunControl& control) = 0;
  ProblemSource source_;
};

/// newtonMinimize({ problem, options }, run) -> the result. Where a function of the problem threw,
/// the error's `cause` is what it threw, and its `partial` the result so far.
class Minimize final : public ProblemTask {
 public:
  explicit Minimize(const Fields& spec) : Minimize(spec, spec.object("options")) {}

  Napi::Value deliver(Napi::Env env) override {
    source_.count_given(result_.evaluations);
    const Napi::Object result = write_result(env, result_, options_.seed);
    if (!result_.failure) return result;
    try {
      std::rethrow_exception(result_.failure);
    } catch (const Error& error) {
      const Napi::Error converted = evaluation_error(env, error, source_.thrown());
      converted.Value().Set("partial", result);
      throw Napi::Error(converted);
    }
  }

 private:
  Minimize(const Fields& spec, const Fields& options)
      : ProblemTask(spec, options), options_(read_options(options)) {}

  void work(RunControl& control) override {
    result_ =
        newton::minimize(source_.problem(), source_.x0(), source_.lambda0(), options_, control);
  }

  newton::Options options_;
  newton::Result result_;
};

/// newtonCheckDerivatives({ problem, x?, lambda?, options? { tolerance?, mostEntries? } }, run)
/// -> { gradientError, jacobianError, hessianError, wrongEntries, wrong }, at x0 where x is left
/// out, with multipliers of different sizes where lambda is.
class CheckDerivatives final : public ProblemTask {
 public:
  explicit CheckDerivatives(const Fields& spec) : ProblemTask(spec, std::nullopt) {
    const std::size_t m = source_.problem().constraints();
    if (const auto x = spec.optional_array<double>("x", source_.problem().variables())) {
      x_.assign(x->view().begin(), x->view().end());
    }
    for (std::size_t i = 0; i < m; ++i) {
      lambda_.push_back((i % 2 == 0 ? 1 : -1) * (1 + number(i) / number(m)));
    }
    if (const auto lambda = spec.optional_array<double>("lambda", m)) {
      lambda_.assign(lambda->view().begin(), lambda->view().end());
    }
    check_.gradient = !source_.missing().gradient;
    check_.jacobian = !source_.missing().jacobian;
    check_.hessian = check_.gradient && check_.jacobian;
    if (const auto options = spec.optional_object("options")) {
      check_.tolerance = options->optional_number("tolerance", positive).value_or(check_.tolerance);
      check_.most_entries = read_size(*options, "mostEntries", check_.most_entries);
    }
  }

  Napi::Value deliver(Napi::Env env) override {
    if (failure_) throw Napi::Error(evaluation_error(env, *failure_, source_.thrown()));
    Napi::Object object = Napi::Object::New(env);
    object.Set("gradientError", report_.gradient_error);
    object.Set("jacobianError", report_.jacobian_error);
    object.Set("hessianError", report_.hessian_error);
    object.Set("wrongEntries", number(report_.wrong_entries));
    Napi::Array wrong = Napi::Array::New(env, report_.wrong.size());
    for (std::size_t i = 0; i < report_.wrong.size(); ++i) {
      const newton::DerivativeEntry& entry = report_.wrong[i];
      Napi::Object line = Napi::Object::New(env);
      line.Set("derivative", name(entry.derivative));
      line.Set("row", number(entry.row));
      line.Set("column", number(entry.column));
      line.Set("given", entry.given);
      line.Set("difference", entry.difference);
      line.Set("error", entry.error);
      wrong.Set(static_cast<std::uint32_t>(i), line);
    }
    object.Set("wrong", wrong);
    return object;
  }

 private:
  void work(RunControl& control) override {
    if (x_.empty()) x_.assign(source_.x0().begin(), source_.x0().end());
    ThreadPool pool(1);
    pool.watch(&control, StopOn::time_limit);
    run_stoppable(control, [&] {
      try {
        report_ = newton::check_derivatives(source_.problem(), x_, lambda_, check_, pool);
      } catch (const Error& error) {
        failure_ = error;
      }
    });
  }

  std::vector<double> x_, lambda_;
  newton::DerivativeCheck check_;
  newton::DerivativeReport report_;
  std::optional<Error> failure_;
};

/// newtonStart({ problem }) -> where it starts.
Napi::Value newton_start(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  ProblemSource source(spec.object("problem"), std::nullopt);
  const RunControl control;
  source.begin(control);
  return to_js(info.Env(), source.x0());
}

/// The two forms of a native function of (spec, run) whose task calls JavaScript.
template <class Job>
struct ProblemForms {
  static Napi::Value start(const Napi::CallbackInfo& info) {
    auto task = std::make_unique<Job>(Fields(info[0]));
    const Napi::Object run = Fields(info[1], "run").object();
    task->prepare_job(info.Env());
    return start_job(info, run, std::move(task));
  }
  static Napi::Value sync(const Napi::CallbackInfo& info) {
    return run_sync(info, Fields(info[1], "run").object(), std::make_unique<Job>(Fields(info[0])));
  }
};

template <class Job>
void export_problem_job(Napi::Object exports, const std::string& name) {
  export_function<ProblemForms<Job>::start>(exports, name.c_str());
  export_function<ProblemForms<Job>::sync>(exports, (name + "Sync").c_str());
}

}  // namespace

void register_newton(Napi::Env, Napi::Object exports) {
  export_problem_job<Minimize>(exports, "newtonMinimize");
  export_function<newton_start>(exports, "newtonStart");
  export_problem_job<CheckDerivatives>(exports, "newtonCheckDerivatives");
}

}  // namespace secondorder::binding
