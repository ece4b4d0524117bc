// Attacks on convex ReLU networks as native functions.
#pragma once

#include <napi.h>

namespace secondorder::binding {

/// Exports convexReluAttack and convexReluRobustness, each with its Sync twin.
void register_convex_relu_attack(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
