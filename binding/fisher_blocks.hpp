// The native functions of Fisher blocks and of pruning masks, as lib/mfac/native.ts declares them.
#pragma once

#include <napi.h>

namespace secondorder::binding {

void register_fisher_blocks(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
