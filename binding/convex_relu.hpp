// Convex ReLU training, prediction and verification as native functions.
#pragma once

#include <napi.h>

namespace secondorder::binding {

/// Exports convexReluTrain, convexReluPredict, convexReluVerify (each with its Sync twin),
/// convexReluObjective and convexReluEstimateMemory.
void register_convex_relu(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
