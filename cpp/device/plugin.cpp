#include "device/plugin.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "base/thread_pool.hpp"

namespace secondorder {

namespace {

/// The library that NVIDIA's driver brings.
constexpr const char* driver = "libcuda.so.1";

struct CloseLibrary {
  void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

Library open_library(const char* file) { return Library(dlopen(file, RTLD_NOW | RTLD_LOCAL)); }

std::string loader_message() {
  const char* message = dlerror();
  return message == nullptr ? "unknown reason" : message;
}

template <class Function>
Function symbol(const Library& library, const char* symbol_name, const std::string& file) {
  void* address = dlsym(library.get(), symbol_name);
  if (address != nullptr) return reinterpret_cast<Function>(address);
  throw Error(ErrorCode::cuda_no_backend,
              file + " is no CUDA backend of secondorder: " + loader_message());
}

/// What this process knows of the backend; guarded by its mutex.
struct Opened {
  std::mutex mutex;
  BackendSources sources;
  std::string file;
  Backend* backend = nullptr;
};

Opened& opened() {
  static Opened state;
  return state;
}

Backend& open_backend(const BackendSources& sources, std::string& opened_file) {
  const auto found = std::ranges::find_if(
      sources.files, [](const std::string& file) { return access(file.c_str(), F_OK) == 0; });
  if (found == sources.files.end()) {
    throw Error(ErrorCode::cuda_no_backend,
                "The NVIDIA driver is here, but not the CUDA backend: " + sources.advice);
  }
  Library library = open_library(found->c_str());
  if (!library) {
    throw Error(ErrorCode::cuda_no_backend, "The CUDA backend does not load: " + loader_message());
  }
  const auto* const version = symbol<BackendVersion>(library, backend_version_symbol, *found)();
  if (sources.version != version) {
    throw Error(ErrorCode::cuda_no_backend, "The CUDA backend " + *found + " has version " +
                                                version + ", and this is secondorder " +
                                                sources.version + ": install that version of it");
  }
  Backend* const backend =
      symbol<BackendOpen>(library, backend_open_symbol, *found)(host_services());
  // Open for good: threads of jobs may be inside it when the process ends.
  static_cast<void>(library.release());
  opened_file = *found;
  return *backend;
}

}  // namespace

HostServices host_services() {
  return {.raise = [](ErrorCode code, const char* message,
                      const char* argument) { throw Error(code, message, argument); },
          .cancel = [] { throw Cancelled{}; },
          .attempt =
              [](FunctionRef<void()> body) {
                try {
                  body();
                } catch (const Error&) {
                  return false;
                }
                return true;
              }};
}

void set_backend_sources(BackendSources sources) {
  Opened& state = opened();
  const std::lock_guard lock(state.mutex);
  if (state.backend == nullptr) state.sources = std::move(sources);
}

void require_driver() {
  // Kept open: what is loaded now is what the backend will use.
  static std::mutex mutex;
  static Library library;
  const std::lock_guard lock(mutex);
  if (!library) library = open_library(driver);
  if (library) return;
  throw Error(ErrorCode::cuda_no_driver, "The NVIDIA driver was not found: " + loader_message());
}

Backend& backend() {
  Opened& state = opened();
  const std::lock_guard lock(state.mutex);
  if (state.backend == nullptr) {
    require_driver();
    state.backend = &open_backend(state.sources, state.file);
  }
  return *state.backend;
}

std::string backend_file() {
  Opened& state = opened();
  const std::lock_guard lock(state.mutex);
  return state.file;
}

}  // namespace secondorder
