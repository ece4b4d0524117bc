// Opens the backend when a GPU is first asked for. The driver is looked for before the backend, so
// that a machine without a GPU is not told to install a package.
#pragma once

#include <string>
#include <vector>

#include "device/backend.hpp"

namespace secondorder {

/// Where the backend is looked for, and what to say.
struct BackendSources {
  /// In this order; the first that is there is opened, whatever comes of it.
  std::vector<std::string> files;
  /// How the error ends when none is there: where it was looked for, and what to do.
  std::string advice;
  /// The package's, which the backend's must equal.
  std::string version;
};

/// For all of the process, until a backend has been opened.
void set_backend_sources(BackendSources sources);

/// Throws ERR_CUDA_NO_DRIVER where NVIDIA's driver can't be loaded.
void require_driver();

/// The backend, opened at the first call; may be called from any thread. Throws ERR_CUDA_NO_DRIVER,
/// ERR_CUDA_NO_BACKEND (not there, doesn't load, or of another version), or what opening it throws;
/// the next call tries again then.
Backend& backend();

/// The file of the backend, empty until it is open.
std::string backend_file();

/// How a backend throws, cancels and catches in this process.
HostServices host_services();

}  // namespace secondorder
