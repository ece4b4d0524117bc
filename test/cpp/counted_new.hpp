// Counts what the program asks operator new for.
#pragma once

#include <cstddef>

namespace secondorder::test {

/// Calls of operator new by any thread since the program started.
std::size_t allocations();

}  // namespace secondorder::test
