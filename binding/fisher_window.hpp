// What JavaScript calls of M-FAC's dynamic algorithm.
#pragma once

#include <napi.h>

namespace secondorder::binding {

void register_fisher_window(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
