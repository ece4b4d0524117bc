#include "newton/require_memory.hpp"

#include <cmath>

#include "base/error.hpp"
#include "base/memory_facts.hpp"

namespace secondorder::newton {

namespace {

/// Asking the system takes longer than to solve a small problem.
constexpr double surely_there = 64e6;

std::string gigabytes(double bytes) {
  const double tenths = std::ceil(bytes / 1e8);
  std::string digits = std::to_string(tenths / 10);
  digits.resize(digits.find('.') + 2);
  return digits + " GB";
}

}  // namespace

void require_memory(double bytes, const std::string& what, const char* argument,
                    const std::string& advice) {
  if (bytes <= surely_there) return;
  const auto have = static_cast<double>(available_memory());
  if (bytes <= have) return;
  throw Error(
      ErrorCode::out_of_memory,
      what + " takes " + gigabytes(bytes) + " of the " + gigabytes(have) + " there are" + advice,
      argument);
}

}  // namespace secondorder::newton
