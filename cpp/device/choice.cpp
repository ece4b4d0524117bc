#include "device/choice.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/error.hpp"
#include "device/plugin.hpp"

namespace secondorder {

namespace {

[[noreturn]] void refuse(const std::string& given, const std::string& argument) {
  throw Error(ErrorCode::invalid_argument,
              argument +
                  " must be 'auto', 'cpu', 'cuda', 'cuda:N' or a list of different 'cuda:N', " +
                  "got " + given,
              argument);
}

int gpu_number(const std::string& name, const std::string& argument) {
  constexpr std::string_view prefix = "cuda:";
  int number = -1;
  if (name.starts_with(prefix)) {
    const char* const end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, number);
    if (error != std::errc() || stop != end) number = -1;
  }
  if (number < 0) refuse("'" + name + "'", argument);
  return number;
}

std::string in_seconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g s", seconds);
  return text;
}

}  // namespace

DeviceRequest parse_device(std::span<const std::string> names, const std::string& argument) {
  using Kind = DeviceRequest::Kind;
  if (names.empty()) refuse("an empty list", argument);
  if (names.size() == 1) {
    if (names[0] == "auto") return {};
    if (names[0] == "cpu") return {Kind::cpu, {}};
    if (names[0] == "cuda") return {Kind::cuda, {0}};
  }
  DeviceRequest request{Kind::cuda, {}};
  for (const std::string& name : names) {
    const int gpu = gpu_number(name, argument);
    if (std::ranges::count(request.gpus, gpu) > 0) refuse("'" + name + "' twice", argument);
    request.gpus.push_back(gpu);
  }
  return request;
}

std::string DeviceChoice::name() const {
  if (!gpu()) return "cpu";
  std::string names;
  for (const int index : gpus) {
    names += (names.empty() ? "cuda:" : ",cuda:") + std::to_string(index);
  }
  return names;
}

void require_gpus(std::span<const int> gpus) {
  const int count = backend().device_count();
  for (const int gpu : gpus) {
    if (gpu < count) continue;
    throw Error(ErrorCode::cuda_no_device,
                count == 0 ? "The NVIDIA driver is here, but it shows no GPU"
                           : "There is no cuda:" + std::to_string(gpu) + ": the driver shows " +
                                 std::to_string(count) + (count == 1 ? " GPU" : " GPUs"));
  }
}

DeviceChoice choose_device(const DeviceRequest& request, const Work& work, int threads,
                           FunctionRef<void(Backend& backend, std::span<const int> gpus)> use) {
  using Kind = DeviceRequest::Kind;
  if (request.kind == Kind::cpu) return {};
  if (request.kind == Kind::cuda) {
    require_gpus(request.gpus);
    use(backend(), request.gpus);
    return {.gpus = request.gpus};
  }
  try {
    require_driver();
    const double on_cpu = cpu_seconds(work, threads), on_gpu = gpu_seconds(work);
    const std::string estimates =
        "by estimate " + in_seconds(on_gpu) + " on a GPU, " + in_seconds(on_cpu) + " on the CPU";
    if (on_cpu <= on_gpu)
      return {.gpus = {}, .reason = "too small for a GPU to gain: " + estimates};
    const std::vector<int> first{0};
    require_gpus(first);
    use(backend(), first);
    return {.gpus = first, .reason = "faster: " + estimates};
  } catch (const Error& error) {
    return {.gpus = {}, .reason = error.what()};
  }
}

}  // namespace secondorder
