// The emulated machine of a test's process, from its environment.
#include <cstdlib>

#include "device.hpp"

namespace {

/// A whole number, or -1.
long long number(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? -1 : std::atoll(text);
}

[[gnu::constructor]] void set_up() {
  using namespace secondorder::emulation;
  if (const long long count = number("EMULATED_GPUS"); count >= 0) {
    set_device_count(static_cast<int>(count));
  }
  if (const long long bytes = number("EMULATED_GPU_BYTES"); bytes >= 0) {
    set_memory_limit(static_cast<std::size_t>(bytes));
  }
  if (number("EMULATED_GPU_REFUSES_GRAPHS") == 1) set_refusal(Refusal::instantiation);
}

}  // namespace
