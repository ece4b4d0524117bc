// run_sync: a task on the JavaScript thread itself.
#include <optional>

#include "job.hpp"
#include "marshal.hpp"
#include "progress.hpp"
#include "run_settings.hpp"

namespace secondorder::binding {
namespace {

/// Shows progress to JavaScript in the midst of the work, and remembers what the callback threw.
class SyncProgress {
 public:
  SyncProgress(Napi::Env env, const RunSettings& settings, RunControl& control)
      : env_(env),
        callback_(settings.on_progress),
        control_(control),
        latest_(settings.progress_interval) {}

  void report(std::span<const NamedNumber> figures) {
    if (latest_.put(figures)) show();
  }

  /// Shows what has not been shown yet.
  void show() {
    const auto figures = latest_.take();
    if (!figures || control_.cancelled()) return;
    const Napi::HandleScope scope(env_);
    try {
      if (!call(*figures)) control_.cancel();
    } catch (const Napi::Error& error) {
      thrown_ = error;
      control_.cancel();
    }
  }

  const std::optional<Napi::Error>& thrown() const { return thrown_; }

 private:
  /// False when the callback wants no more.
  bool call(const std::vector<NamedNumber>& figures) const {
    if (callback_.IsEmpty()) {
      // Nobody listens, but a worker that is being terminated shows only in a call that fails.
      env_.RunScript("0");
      return true;
    }
    const Napi::Value answer = callback_.Call({progress_event(env_, figures)});
    return !answer.IsBoolean() || answer.As<Napi::Boolean>().Value();
  }

  Napi::Env env_;
  Napi::Function callback_;
  RunControl& control_;
  LatestProgress latest_;
  std::optional<Napi::Error> thrown_;
};

}  // namespace

Napi::Value run_sync(const Napi::CallbackInfo& info, const Napi::Object& run,
                     std::unique_ptr<Task> task) {
  const RunSettings settings(run);
  RunControl control;
  settings.apply_to(control);
  SyncProgress progress(info.Env(), settings, control);
  control.on_progress = [&](std::span<const NamedNumber> figures) { progress.report(figures); };
  try {
    task->run(control);
    progress.show();
  } catch (...) {
    if (!progress.thrown()) throw;
  }
  if (progress.thrown()) throw Napi::Error(*progress.thrown());
  return task->deliver(info.Env());
}

}  // namespace secondorder::binding
