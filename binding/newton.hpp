// The native functions of constrained minimization, as lib/newton/native.ts declares them.
#pragma once

#include <napi.h>

namespace secondorder::binding {

void register_newton(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
