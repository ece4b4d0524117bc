#include "newton_measurement.hpp"

#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.hpp"
#include "device.hpp"
#include "job.hpp"
#include "marshal.hpp"
#include "newton/linear/measure_kkt.hpp"

namespace secondorder::binding {
namespace {

/// measureKkt({ order, spectrum, accuracy, solvers, rowEntries?, seed?, device? }, run) -> one
/// entry for each solver, on the CPU where no device is named.
class MeasureKkt final : public Task {
 public:
  explicit MeasureKkt(const Fields& spec) {
    constexpr std::int64_t smallest = 5, largest = 20000;
    experiment_.order = static_cast<std::size_t>(spec.integer("order", smallest, largest));
    experiment_.spectrum = spec.choice<newton::KktSpectrum>("spectrum");
    experiment_.row_entries =
        static_cast<std::size_t>(spec.optional_integer("rowEntries").value_or(0));
    if (spec.has("device")) experiment_.device = read_device(spec);
    experiment_.accuracy = spec.number("accuracy", positive);
    experiment_.seed = static_cast<std::uint64_t>(spec.optional_integer("seed").value_or(0));
    const Napi::Value solvers = spec.value("solvers");
    if (!solvers.IsArray()) throw wrong(spec.path("solvers"), "an array", solvers);
    const auto names = solvers.As<Napi::Array>();
    for (std::uint32_t i = 0; i < names.Length(); ++i) {
      const Fields entry(names, spec.path("solvers"));
      experiment_.solvers.push_back(entry.choice<newton::LinearSolver>(std::to_string(i).c_str()));
    }
  }

  void run(RunControl& control) override {
    ThreadPool pool(control.threads);
    pool.watch(&control, StopOn::time_limit);
    run_stoppable(control, [&] { timings_ = newton::measure_kkt(experiment_, pool); });
  }

  Napi::Value deliver(Napi::Env env) override {
    Napi::Array list = Napi::Array::New(env, timings_.size());
    for (std::size_t i = 0; i < timings_.size(); ++i) {
      const newton::KktTiming& timing = timings_[i];
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("solver", timing.solver);
      entry.Set("prepareSeconds", timing.prepare_seconds);
      entry.Set("solveSeconds", timing.solve_seconds);
      entry.Set("residual", timing.residual);
      entry.Set("reached", timing.reached);
      entry.Set("steps", static_cast<double>(timing.steps));
      list.Set(static_cast<std::uint32_t>(i), entry);
    }
    return list;
  }

 private:
  newton::KktExperiment experiment_;
  std::vector<newton::KktTiming> timings_;
};

}  // namespace

void register_newton_measurement(Napi::Env, Napi::Object exports) {
  export_job<make<MeasureKkt>>(exports, "measureKkt");
}

}  // namespace secondorder::binding
