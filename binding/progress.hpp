// Progress on its way from a solver to JavaScript.
#pragma once

#include <napi.h>

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "base/run_control.hpp"

namespace secondorder::binding {

/// Keeps the latest report only, and says when it is time to show it: a solver of a million
/// iterations a second must not flood the event loop. Not synchronized.
class LatestProgress {
 public:
  /// At most one showing in every `interval`; the first report is shown at once.
  explicit LatestProgress(std::chrono::duration<double, std::milli> interval)
      : interval_(interval) {}

  /// Stores a report; true when it is time to show it.
  bool put(std::span<const NamedNumber> figures) {
    latest_.assign(figures.begin(), figures.end());
    fresh_ = true;
    const auto now = RunControl::Clock::now();
    if (last_ && now - *last_ < interval_) return false;
    last_ = now;
    return true;
  }

  /// The report not yet shown, if any.
  std::optional<std::vector<NamedNumber>> take() {
    if (!fresh_) return std::nullopt;
    fresh_ = false;
    return latest_;
  }

 private:
  std::chrono::duration<double, std::milli> interval_;
  std::vector<NamedNumber> latest_;
  std::optional<RunControl::Clock::time_point> last_;
  bool fresh_ = false;
};

/// The event that onProgress gets.
inline Napi::Object progress_event(Napi::Env env, std::span<const NamedNumber> figures) {
  Napi::Object event = Napi::Object::New(env);
  for (const NamedNumber& figure : figures) {
    event.Set(figure.name, Napi::Number::New(env, figure.value));
  }
  return event;
}

}  // namespace secondorder::binding
