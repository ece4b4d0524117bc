// How fast memory can be read: the peak that passes over a window are measured by.
#pragma once

#include <napi.h>

namespace secondorder::binding {

void register_read_measurement(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
