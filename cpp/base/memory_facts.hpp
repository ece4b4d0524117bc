// What the machine can still give.
#pragma once

#include <cstddef>

namespace secondorder {

/// Bytes this process can still allocate: the system's available memory or what is left of the
/// cgroup's limit, whichever is less.
std::size_t available_memory();

}  // namespace secondorder
