// measureKkt: timings of linear solvers, as lib/newton/native.ts declares them.
#pragma once

#include <napi.h>

namespace secondorder::binding {

void register_newton_measurement(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
