// The `run` argument that every native function takes.
#pragma once

#include <napi.h>

#include <chrono>
#include <limits>

#include "base/run_control.hpp"

namespace secondorder::binding {

struct RunSettings {
  int threads = 0;                                              ///< 0: all there are
  double time_limit = std::numeric_limits<double>::infinity();  ///< seconds
  std::chrono::duration<double, std::milli> progress_interval{50};
  Napi::Function on_progress;  ///< empty when left out

  /// Throws secondorder::Error for an entry that is not what it should be.
  explicit RunSettings(const Napi::Object& run);

  void apply_to(RunControl& control) const;
};

}  // namespace secondorder::binding
