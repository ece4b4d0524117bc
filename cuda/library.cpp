#include "library.hpp"

#include <dlfcn.h>
#include <glob.h>

#include <cstdlib>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "failure.hpp"

namespace secondorder::cuda {

namespace {

constexpr const char* folders_variable = "SECONDORDER_CUDA_LIBRARIES";

/// A library by the names of the versions that have the functions in use, the newest first, and
/// what it needs of the same release, which is opened before it where it lies beside it: folders of
/// Python's wheels are not on the loader's path.
struct Name {
  const char* what;
  std::vector<const char*> files;
  std::vector<const char*> needs;
};

const Name cublas_name{
    "cuBLAS", {"libcublas.so.13", "libcublas.so.12", "libcublas.so"}, {"libcublasLt.so"}};
const Name cusolver_name{"cuSOLVER",
                         {"libcusolver.so.12", "libcusolver.so.11", "libcusolver.so"},
                         {"libnvJitLink.so", "libcublasLt.so", "libcublas.so", "libcusparse.so"}};

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Paths that match a pattern, in order.
std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

/// Patterns of folders, in the order in which they are searched; the loader's own path comes after
/// the folders that the user names.
std::vector<std::string> named_folders() {
  std::vector<std::string> folders;
  const std::string list = variable(folders_variable);
  for (std::size_t first = 0; first < list.size();) {
    const std::size_t end = std::min(list.find(':', first), list.size());
    if (end > first) folders.push_back(list.substr(first, end - first));
    first = end + 1;
  }
  return folders;
}

std::vector<std::string> usual_folders() {
  std::vector<std::string> folders;
  for (const char* const root : {"CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX"}) {
    const std::string path = variable(root);
    if (path.empty()) continue;
    folders.push_back(path + "/lib64");
    folders.push_back(path + "/lib");
  }
  folders.emplace_back("/usr/local/cuda/lib64");
  const std::string home = variable("HOME");
  for (const std::string& root : {variable("VIRTUAL_ENV"), variable("CONDA_PREFIX"),
                                  home.empty() ? std::string() : home + "/.local",
                                  std::string("/usr/local"), std::string("/usr")}) {
    if (root.empty()) continue;
    for (const char* const packages : {"site-packages", "dist-packages"}) {
      folders.push_back(root + "/lib/python3*/" + packages + "/nvidia/*/lib");
    }
  }
  return folders;
}

/// What the library needs, from its own folder or those of the wheels beside it.
void open_needs(const Name& name, const std::string& file) {
  const std::string folder = file.substr(0, file.rfind('/'));
  for (const char* const need : name.needs) {
    for (const std::string& place : {folder + "/", folder + "/../../*/lib/"}) {
      const std::vector<std::string> found = matches(place + need + "*");
      if (!found.empty() && dlopen(found.front().c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) break;
    }
  }
}

class Library {
 public:
  /// The first that opens.
  void open(const Name& name) {
    std::string first_message;
    const auto attempt = [&](const std::string& file, bool path) {
      if (path) open_needs(name, file);
      handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle_ != nullptr) file_ = file;
      // A file that is there and doesn't open says more than one that isn't.
      if (handle_ == nullptr && (first_message.empty() || path)) first_message = dlerror();
      return handle_ != nullptr;
    };
    const auto in_folder = [&](const std::string& pattern) {
      for (const char* const file : name.files) {
        for (const std::string& found : matches(pattern + "/" + file)) {
          if (attempt(found, true)) return true;
        }
      }
      return false;
    };
    const std::vector<std::string> named = named_folders(), usual = usual_folders();
    for (const std::string& pattern : named) {
      if (in_folder(pattern)) return;
    }
    for (const char* const file : name.files) {
      if (attempt(file, false)) return;
    }
    for (const std::string& pattern : usual) {
      if (in_folder(pattern)) return;
    }
    refuse(name, named, usual, first_message);
  }

  void* symbol(const char* name) const {
    void* const address = dlsym(handle_, name);
    if (address == nullptr) {
      fail(ErrorCode::cuda_library, file_ + " has no function " + name + ": it is too old");
    }
    return address;
  }
  const std::string& file() const { return file_; }

 private:
  [[noreturn]] static void refuse(const Name& name, std::span<const std::string> named,
                                  std::span<const std::string> usual, const std::string& message) {
    std::string text = std::string(name.what) + " was not found (" + message + "): looked for";
    for (const char* const file : name.files) text += std::string(" ") + file;
    text += " in";
    for (const std::string& folder : named) text += " " + folder;
    text += " the loader's path";
    for (const std::string& folder : usual) text += " " + folder;
    fail(ErrorCode::cuda_library,
         text +
             ". Install the CUDA libraries of your system, or with pip install "
             "nvidia-cublas nvidia-cusolver, or name their folders in " +
             folders_variable);
  }

  void* handle_ = nullptr;
  std::string file_;
};

/// A library with its functions, for all of the process.
template <class Functions>
struct Opened {
  std::mutex mutex;
  bool open = false;
  Library handle;
  Functions functions;
};

template <class Functions, class Fill>
const Functions& open_once(Opened<Functions>& opened, const Name& name, Fill fill) {
  const std::lock_guard lock(opened.mutex);
  if (!opened.open) {
    opened.handle.open(name);
    fill(opened.functions, opened.handle);
    opened.open = true;
  }
  return opened.functions;
}

Opened<Cublas> opened_cublas;
Opened<Cusolver> opened_cusolver;

}  // namespace

#define SECONDORDER_FILL(result, name, parameters) \
  functions.name = reinterpret_cast<decltype(functions.name)>(library.symbol(#name));

const Cublas& cublas() {
  return open_once(opened_cublas, cublas_name, [](Cublas& functions, const Library& library) {
    SECONDORDER_CUBLAS_FUNCTIONS(SECONDORDER_FILL)
  });
}

const Cusolver& cusolver() {
  cublas();  // which it needs, wherever that is
  return open_once(opened_cusolver, cusolver_name, [](Cusolver& functions, const Library& library) {
    SECONDORDER_CUSOLVER_FUNCTIONS(SECONDORDER_FILL)
  });
}

#undef SECONDORDER_FILL

std::string library_files() {
  cusolver();
  return opened_cublas.handle.file() + "\n" + opened_cusolver.handle.file();
}

}  // namespace secondorder::cuda
