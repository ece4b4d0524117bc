#include "base/memory_facts.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace secondorder {

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// The number a one-line file holds, or `otherwise` where it holds none ("max", no file).
std::size_t number_in(const char* path, std::size_t otherwise) {
  std::ifstream file(path);
  std::size_t value = 0;
  return file >> value ? value : otherwise;
}

std::size_t system_available() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  std::size_t kibibytes = 0;
  while (file >> key >> kibibytes) {
    if (key == "MemAvailable:") return kibibytes * 1024;
    std::getline(file, unit);
  }
  return unlimited;
}

std::size_t cgroup_available() {
  std::size_t limit = number_in("/sys/fs/cgroup/memory.max", unlimited);
  std::size_t used = number_in("/sys/fs/cgroup/memory.current", 0);
  if (limit == unlimited) {
    limit = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", unlimited);
    used = number_in("/sys/fs/cgroup/memory/memory.usage_in_bytes", 0);
  }
  if (limit == unlimited) return unlimited;
  return limit > used ? limit - used : 0;
}

}  // namespace

std::size_t available_memory() { return std::min(system_available(), cgroup_available()); }

}  // namespace secondorder
