// The scan for NaN and infinities that every array of data goes through before a solver sees it.
#include <cmath>

#include "marshal.hpp"

namespace secondorder::binding {
namespace {

template <typename T>
std::ptrdiff_t first_non_finite(std::span<const T> values) {
  // Whole blocks are tested without a branch, so that the compiler can use vector instructions:
  // x - x is 0 for every finite x, and NaN otherwise.
  constexpr std::size_t block = 256;
  for (std::size_t start = 0; start < values.size(); start += block) {
    const auto part = values.subspan(start, std::min(block, values.size() - start));
    int bad = 0;
    for (const T x : part) bad |= static_cast<int>(x - x != 0);
    if (bad == 0) continue;
    const auto at = std::find_if(part.begin(), part.end(), [](T x) { return !std::isfinite(x); });
    return static_cast<std::ptrdiff_t>(start) + (at - part.begin());
  }
  return -1;
}

template <typename T>
Napi::Value scan(Napi::Value value) {
  const ArrayMemory memory =
      inspect_array(value, ElementType<T>::value, ElementType<T>::name, "array", std::nullopt);
  // Read in place: nothing can detach the buffer before this call returns.
  const std::span<const T> values(static_cast<const T*>(memory.data), memory.length);
  return Napi::Number::New(value.Env(), static_cast<double>(first_non_finite(values)));
}

}  // namespace

Napi::Value find_non_finite(const Napi::CallbackInfo& info) {
  const Napi::Value value = info[0];
  const bool single =
      value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float32_array;
  return single ? scan<float>(value) : scan<double>(value);
}

}  // namespace secondorder::binding
