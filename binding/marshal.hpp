// What JavaScript hands over, checked and copied, and what it gets back.
//
// Readers throw secondorder::Error, which names the argument, what it takes and what it got;
// `guarded` turns whatever leaves a native function into a JavaScript error with `code` and
// `argument`.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/enum_names.hpp"
#include "base/error.hpp"

namespace secondorder::binding {

// ---- Errors ----

/// An Error with `code`, and with `argument` where it is not empty.
Napi::Error make_error(Napi::Env env, ErrorCode code, const std::string& message,
                       const std::string& argument = {});

/// The JavaScript error for a C++ exception, by default the one being handled.
Napi::Error convert_exception(Napi::Env env,
                              const std::exception_ptr& thrown = std::current_exception());

/// A native function with every C++ exception converted.
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return function(info);
  } catch (...) {
    throw convert_exception(info.Env());
  }
}

/// Puts `function` among the exports.
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
void export_function(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<guarded<function>>(exports.Env(), name));
}

/// A value in words, for messages: "a Float32Array", "-3", "'hinge'".
std::string describe(Napi::Value value);

/// The error for an argument that must be `takes`.
Error wrong(const std::string& argument, const std::string& takes, Napi::Value got);

// ---- Typed arrays ----

template <typename T>
struct ElementType;
template <>
struct ElementType<float> {
  static constexpr napi_typedarray_type value = napi_float32_array;
  static constexpr const char* name = "a Float32Array";
};
template <>
struct ElementType<double> {
  static constexpr napi_typedarray_type value = napi_float64_array;
  static constexpr const char* name = "a Float64Array";
};
template <>
struct ElementType<std::int32_t> {
  static constexpr napi_typedarray_type value = napi_int32_array;
  static constexpr const char* name = "an Int32Array";
};
template <>
struct ElementType<std::uint32_t> {
  static constexpr napi_typedarray_type value = napi_uint32_array;
  static constexpr const char* name = "a Uint32Array";
};
template <>
struct ElementType<std::uint8_t> {
  static constexpr napi_typedarray_type value = napi_uint8_array;
  static constexpr const char* name = "a Uint8Array";
};

/// Where the elements of a typed array are, while JavaScript stands still.
struct ArrayMemory {
  void* data;
  std::size_t length;
  bool shared;
};

/// Checks that the value is a typed array of this type, attached to its buffer, and of this length.
ArrayMemory inspect_array(Napi::Value value, napi_typedarray_type type, const char* type_name,
                          const std::string& argument, std::optional<std::size_t> expected);

/// How the arrays of a call are held. In place is for work that ends before JavaScript goes on, and
/// calls none of it.
enum class Inputs { copied, in_place };

/// The elements of a typed array, readable on any thread for as long as this object lives. They are
/// copied where JavaScript goes on meanwhile, since an ArrayBuffer can be transferred away at any
/// time; a SharedArrayBuffer cannot, and is used in place. Created and destroyed on the JavaScript
/// thread.
template <typename T>
class InputArray {
 public:
  InputArray() = default;
  InputArray(Napi::Value value, const std::string& argument,
             std::optional<std::size_t> expected = std::nullopt, Inputs inputs = Inputs::copied) {
    const ArrayMemory memory =
        inspect_array(value, ElementType<T>::value, ElementType<T>::name, argument, expected);
    const T* elements = static_cast<const T*>(memory.data);
    if (memory.shared || inputs == Inputs::in_place) {
      owner_ = Napi::Persistent(value.As<Napi::TypedArray>());
    } else {
      copy_ = std::make_unique_for_overwrite<T[]>(memory.length);
      std::copy_n(elements, memory.length, copy_.get());
      elements = copy_.get();
    }
    view_ = {elements, memory.length};
  }

  std::span<const T> view() const { return view_; }
  const T* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }
  const T& operator[](std::size_t index) const { return view_[index]; }
  /// Native memory this array holds: nothing when it is used in place.
  std::size_t bytes() const { return copy_ ? view_.size_bytes() : 0; }

 private:
  std::unique_ptr<T[]> copy_;
  Napi::Reference<Napi::TypedArray> owner_;
  std::span<const T> view_;
};

/// An array of either precision: `std::visit([](const auto& array) { … array.view() … }, x)`.
using RealArray = std::variant<InputArray<float>, InputArray<double>>;

std::size_t size(const RealArray& array);
std::size_t bytes(const RealArray& array);

/// A new typed array with a copy of the elements.
template <typename T>
Napi::TypedArrayOf<T> to_js(Napi::Env env, std::span<const T> elements) {
  auto array = Napi::TypedArrayOf<T>::New(env, elements.size(), ElementType<T>::value);
  std::copy(elements.begin(), elements.end(), array.Data());
  return array;
}
template <typename T>
Napi::TypedArrayOf<T> to_js(Napi::Env env, const std::vector<T>& elements) {
  return to_js(env, std::span<const T>(elements));
}

// ---- Options ----

/// The values a number may have; both ends belong to it unless said otherwise.
struct Interval {
  double low = std::numeric_limits<double>::lowest();
  double high = std::numeric_limits<double>::max();
  bool without_low = false;
  bool without_high = false;
};
inline constexpr Interval any_finite{};
inline constexpr Interval non_negative{.low = 0};
inline constexpr Interval positive{.low = 0, .without_low = true};

inline constexpr std::int64_t largest_integer = (std::int64_t{1} << 53) - 1;

/// The entries of an object, read by name. Entries that are undefined or null count as absent; the
/// optional readers then give nothing, the others throw.
class Fields {
 public:
  /// `path` goes before the names of the entries in messages, as in "x" for "x.rows".
  explicit Fields(Napi::Object object, std::string path = {})
      : object_(object), path_(std::move(path)) {}
  explicit Fields(Napi::Value value, std::string path = {}, Inputs inputs = Inputs::copied);

  Napi::Env env() const { return object_.Env(); }
  const Napi::Object& object() const { return object_; }
  Inputs inputs() const { return inputs_; }
  bool has(const char* name) const;
  Napi::Value value(const char* name) const { return object_.Get(name); }
  /// The full name of an entry, for errors thrown by the caller.
  std::string path(const char* name) const;

  Fields object(const char* name) const { return Fields(value(name), path(name), inputs_); }
  double number(const char* name, const Interval& allowed = any_finite) const;
  std::int64_t integer(const char* name, std::int64_t low = 0,
                       std::int64_t high = largest_integer) const;
  bool boolean(const char* name) const;
  std::string string(const char* name) const;
  /// One of a few strings, as in `choice<Loss>("loss", {{"squared", Loss::squared}, …})`.
  template <typename Enum>
  Enum choice(const char* name,
              std::initializer_list<std::pair<std::string_view, Enum>> choices) const {
    std::vector<std::string_view> names;
    for (const auto& option : choices) names.push_back(option.first);
    return (choices.begin() + find_choice(name, names))->second;
  }
  /// One of the enum's public names.
  template <typename Enum>
  Enum choice(const char* name) const {
    std::vector<std::string_view> names;
    for (const Named<Enum>& option : EnumNames<Enum>::table) names.emplace_back(option.name);
    return EnumNames<Enum>::table[find_choice(name, names)].value;
  }
  template <typename T>
  InputArray<T> array(const char* name, std::optional<std::size_t> expected = std::nullopt) const {
    return InputArray<T>(value(name), path(name), expected, inputs_);
  }
  RealArray real_array(const char* name, std::optional<std::size_t> expected = std::nullopt) const;

  std::optional<Fields> optional_object(const char* name) const {
    return has(name) ? std::optional(object(name)) : std::nullopt;
  }
  std::optional<double> optional_number(const char* name,
                                        const Interval& allowed = any_finite) const {
    return has(name) ? std::optional(number(name, allowed)) : std::nullopt;
  }
  std::optional<std::int64_t> optional_integer(const char* name, std::int64_t low = 0,
                                               std::int64_t high = largest_integer) const {
    return has(name) ? std::optional(integer(name, low, high)) : std::nullopt;
  }
  template <typename T>
  std::optional<InputArray<T>> optional_array(
      const char* name, std::optional<std::size_t> expected = std::nullopt) const {
    return has(name) ? std::optional(array<T>(name, expected)) : std::nullopt;
  }
  std::optional<RealArray> optional_real_array(
      const char* name, std::optional<std::size_t> expected = std::nullopt) const {
    return has(name) ? std::optional(real_array(name, expected)) : std::nullopt;
  }

 private:
  std::ptrdiff_t find_choice(const char* name, std::span<const std::string_view> names) const;

  Napi::Object object_;
  std::string path_;
  Inputs inputs_ = Inputs::copied;
};

/// findNonFinite(array): the index of the first NaN or infinity of a float array, or -1.
Napi::Value find_non_finite(const Napi::CallbackInfo& info);

}  // namespace secondorder::binding
