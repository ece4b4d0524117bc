// Choosing a device, and what there is to choose from.
#pragma once

#include <napi.h>

#include "device/request.hpp"
#include "marshal.hpp"

namespace secondorder::binding {

/// The entry `device`: an array of public names, see parse_device(); 'auto' where there is none.
DeviceRequest read_device(const Fields& fields);

void register_device(Napi::Env env, Napi::Object exports);

}  // namespace secondorder::binding
