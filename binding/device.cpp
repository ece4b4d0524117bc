#include "device.hpp"

#include <string>
#include <vector>

#include "device/choice.hpp"
#include "device/plugin.hpp"

namespace secondorder::binding {
namespace {

std::vector<std::string> strings(const Fields& fields, const char* name) {
  const Napi::Value value = fields.value(name);
  if (!value.IsArray()) throw wrong(fields.path(name), "an array of strings", value);
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value text = array.Get(i);
    if (!text.IsString()) throw wrong(fields.path(name), "an array of strings", text);
    texts.push_back(text.As<Napi::String>());
  }
  return texts;
}

/// cudaSources({ files, advice, version }): where the backend is to be looked for
Napi::Value sources(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  set_backend_sources({strings(spec, "files"), spec.string("advice"), spec.string("version")});
  return info.Env().Undefined();
}

/// cudaRequire({ device }): throws where one of the devices can't be used
Napi::Value require(const Napi::CallbackInfo& info) {
  require_gpus(read_device(Fields(info[0])).gpus);
  return info.Env().Undefined();
}

/// cudaDevices() -> { backend, devices: [{ name, memory, free, computeCapability, multiprocessors,
/// driver, runtime }] }
Napi::Value devices(const Napi::CallbackInfo& info) {
  Backend& cuda = backend();
  const int count = cuda.device_count();
  Napi::Array list = Napi::Array::New(info.Env());
  for (int device = 0; device < count; ++device) {
    const DeviceFacts facts = cuda.facts(device);
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("name", facts.name);
    entry.Set("memory", static_cast<double>(facts.total_bytes));
    entry.Set("free", static_cast<double>(facts.free_bytes));
    entry.Set("computeCapability",
              std::to_string(facts.compute_major) + "." + std::to_string(facts.compute_minor));
    entry.Set("multiprocessors", facts.multiprocessors);
    entry.Set("driver", facts.driver);
    entry.Set("runtime", facts.runtime);
    list.Set(static_cast<std::uint32_t>(device), entry);
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("backend", backend_file());
  result.Set("devices", list);
  return result;
}

/// cudaLibraries() -> where cuBLAS and cuSOLVER are, one in a line
Napi::Value libraries(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), backend().libraries());
}

}  // namespace

DeviceRequest read_device(const Fields& fields) {
  if (!fields.has("device")) return {};
  return parse_device(strings(fields, "device"), fields.path("device"));
}

void register_device(Napi::Env, Napi::Object exports) {
  export_function<sources>(exports, "cudaSources");
  export_function<require>(exports, "cudaRequire");
  export_function<devices>(exports, "cudaDevices");
  export_function<libraries>(exports, "cudaLibraries");
}

}  // namespace secondorder::binding
