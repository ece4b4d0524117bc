// selfTest: a job without mathematics, by which the tests see that jobs start, report, stop and
// fail as they should.
#pragma once

#include <napi.h>

namespace secondorder::binding {

void register_self_test(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
