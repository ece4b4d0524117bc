// What a GPU reaches here, for benchmarks to be measured by.
#pragma once

#include <napi.h>

namespace secondorder::binding {

void register_gpu_measurement(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
