// The native module: everything it exports, and its set-up in each environment that loads it.
#include <napi.h>

#include "job.hpp"
#include "marshal.hpp"
#include "self_test.hpp"
#include "system.hpp"

namespace secondorder::binding {
namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  prepare_environment(env);
  export_function<find_non_finite>(exports, "findNonFinite");
  register_system(env, exports);
  register_self_test(env, exports);
  // The solvers: register_convex_relu(env, exports) goes here.
  return exports;
}

}  // namespace
}  // namespace secondorder::binding

using secondorder::binding::initialize;
NODE_API_MODULE(secondorder, initialize)
