// What the machine is and how fast it multiplies: blasInfo, cpuInfo, measureGemm.
#pragma once

#include <napi.h>

namespace secondorder::binding {

void register_system(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
