// The native module: everything it exports, and its set-up in each environment that loads it.
#include <napi.h>

#include "convex_relu.hpp"
#include "convex_relu_attack.hpp"
#include "device.hpp"
#include "fisher_blocks.hpp"
#include "fisher_window.hpp"
#include "gpu_measurement.hpp"
#include "job.hpp"
#include "marshal.hpp"
#include "newton.hpp"
#include "newton_measurement.hpp"
#include "read_measurement.hpp"
#include "self_test.hpp"
#include "system.hpp"

namespace secondorder::binding {
namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  prepare_environment(env);
  export_function<find_non_finite>(exports, "findNonFinite");
  register_system(env, exports);
  register_device(env, exports);
  register_self_test(env, exports);
  register_convex_relu(env, exports);
  register_convex_relu_attack(env, exports);
  register_fisher_blocks(env, exports);
  register_fisher_window(env, exports);
  register_gpu_measurement(env, exports);
  register_read_measurement(env, exports);
  register_newton(env, exports);
  register_newton_measurement(env, exports);
  return exports;
}

}  // namespace
}  // namespace secondorder::binding

using secondorder::binding::initialize;
NODE_API_MODULE(secondorder, initialize)
