#include "run_settings.hpp"

#include "marshal.hpp"

namespace secondorder::binding {

RunSettings::RunSettings(const Napi::Object& run) {
  const Fields fields(run, "run");
  threads = static_cast<int>(
      fields.optional_integer("threads", 0, std::numeric_limits<int>::max()).value_or(threads));
  time_limit =
      fields.optional_number("timeLimit", {.low = 0, .high = time_limit}).value_or(time_limit);
  progress_interval = decltype(progress_interval)(
      fields.optional_number("progressInterval", non_negative).value_or(progress_interval.count()));
  if (!fields.has("onProgress")) return;
  const Napi::Value callback = fields.value("onProgress");
  if (!callback.IsFunction()) throw wrong("run.onProgress", "a function", callback);
  on_progress = callback.As<Napi::Function>();
}

void RunSettings::apply_to(RunControl& control) const {
  control.threads = threads;
  control.time_limit = time_limit;
}

}  // namespace secondorder::binding
