#include "marshal.hpp"

#include <cmath>
#include <new>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace secondorder::binding {

Napi::Error make_error(Napi::Env env, ErrorCode code, const std::string& message,
                       const std::string& argument) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, std::string(name(code))));
  if (!argument.empty()) error.Set("argument", Napi::String::New(env, argument));
  return error;
}

Napi::Error convert_exception(Napi::Env env, const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Napi::Error& error) {
    return error;
  } catch (const Error& error) {
    return make_error(env, error.code, error.what(), error.argument);
  } catch (const std::bad_alloc&) {
    return make_error(env, ErrorCode::out_of_memory, "There is not enough memory");
  } catch (const std::length_error&) {  // a container asked for more than any machine has
    return make_error(env, ErrorCode::out_of_memory, "There is not enough memory");
  } catch (const std::system_error& error) {
    const bool exhausted = error.code() == std::errc::resource_unavailable_try_again;
    return make_error(env, exhausted ? ErrorCode::out_of_memory : ErrorCode::internal,
                      exhausted ? "The system refuses another thread" : error.what());
  } catch (const std::exception& error) {
    return make_error(env, ErrorCode::internal, error.what());
  } catch (...) {
    return make_error(env, ErrorCode::internal, "An unknown native exception was thrown");
  }
}

namespace {

std::string in_words(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  std::ostringstream text;
  text.precision(15);
  text << number;
  return text.str();
}

std::string quoted(std::string_view text) {
  std::string words(1, '\'');
  words.append(text).push_back('\'');
  return words;
}

const char* class_name(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
      return "an Int8Array";
    case napi_uint8_array:
      return "a Uint8Array";
    case napi_uint8_clamped_array:
      return "a Uint8ClampedArray";
    case napi_int16_array:
      return "an Int16Array";
    case napi_uint16_array:
      return "a Uint16Array";
    case napi_int32_array:
      return "an Int32Array";
    case napi_uint32_array:
      return "a Uint32Array";
    case napi_float32_array:
      return "a Float32Array";
    case napi_float64_array:
      return "a Float64Array";
    case napi_bigint64_array:
      return "a BigInt64Array";
    case napi_biguint64_array:
      return "a BigUint64Array";
    default:
      return "a typed array";
  }
}

std::string in_words(const Interval& allowed) {
  std::string words = "a number";
  const bool bounded_below = allowed.low > std::numeric_limits<double>::lowest();
  const bool bounded_above = allowed.high < std::numeric_limits<double>::max();
  if (bounded_below)
    words += (allowed.without_low ? " above " : " of at least ") + in_words(allowed.low);
  if (bounded_below && bounded_above) words += " and";
  if (bounded_above)
    words += (allowed.without_high ? " below " : " at most ") + in_words(allowed.high);
  return words;
}

}  // namespace

std::string describe(Napi::Value value) {
  if (value.IsUndefined()) return "undefined";
  if (value.IsNull()) return "null";
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value() ? "true" : "false";
  if (value.IsNumber()) return in_words(value.As<Napi::Number>().DoubleValue());
  if (value.IsString()) return quoted(value.As<Napi::String>().Utf8Value().substr(0, 40));
  if (value.IsTypedArray()) return class_name(value.As<Napi::TypedArray>().TypedArrayType());
  if (value.IsArray()) return "an array";
  if (value.IsFunction()) return "a function";
  if (value.IsObject()) return "an object";
  return "a value of another type";
}

Error wrong(const std::string& argument, const std::string& takes, Napi::Value got) {
  return Error(ErrorCode::invalid_argument,
               argument + " must be " + takes + ", got " + describe(got), argument);
}

ArrayMemory inspect_array(Napi::Value value, napi_typedarray_type type, const char* type_name,
                          const std::string& argument, std::optional<std::size_t> expected) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    throw wrong(argument, type_name, value);
  }
  // The raw call: the C++ wrapper's ArrayBuffer does not take a SharedArrayBuffer.
  ArrayMemory memory{};
  void* data = nullptr;
  napi_value buffer = nullptr;
  const napi_status status = napi_get_typedarray_info(value.Env(), value, nullptr, &memory.length,
                                                      &data, &buffer, nullptr);
  if (status != napi_ok) throw Napi::Error::New(value.Env());
  memory.data = data;
  memory.shared = !Napi::Value(value.Env(), buffer).IsArrayBuffer();
  bool detached = false;
  if (!memory.shared) napi_is_detached_arraybuffer(value.Env(), buffer, &detached);
  if (detached) {
    throw Error(ErrorCode::invalid_argument,
                argument + " has lost its buffer, which was transferred or detached", argument);
  }
  if (expected && memory.length != *expected) {
    throw Error(ErrorCode::dimension_mismatch,
                argument + " has " + std::to_string(memory.length) + " elements, expected " +
                    std::to_string(*expected),
                argument);
  }
  return memory;
}

std::size_t size(const RealArray& array) {
  return std::visit([](const auto& values) { return values.size(); }, array);
}

std::size_t bytes(const RealArray& array) {
  return std::visit([](const auto& values) { return values.bytes(); }, array);
}

Fields::Fields(Napi::Value value, std::string path, Inputs inputs)
    : object_(value.IsObject() ? value.As<Napi::Object>() : Napi::Object()),
      path_(std::move(path)),
      inputs_(inputs) {
  if (!value.IsObject()) throw wrong(path_.empty() ? "the argument" : path_, "an object", value);
}

std::string Fields::path(const char* name) const {
  return path_.empty() ? std::string(name) : path_ + "." + name;
}

bool Fields::has(const char* name) const {
  const Napi::Value entry = value(name);
  return !entry.IsUndefined() && !entry.IsNull();
}

double Fields::number(const char* name, const Interval& allowed) const {
  const Napi::Value entry = value(name);
  const double got = entry.IsNumber() ? entry.As<Napi::Number>().DoubleValue() : std::nan("");
  const bool above = allowed.without_low ? got > allowed.low : got >= allowed.low;
  const bool below = allowed.without_high ? got < allowed.high : got <= allowed.high;
  if (!above || !below) throw wrong(path(name), in_words(allowed), entry);
  return got;
}

std::int64_t Fields::integer(const char* name, std::int64_t low, std::int64_t high) const {
  const Napi::Value entry = value(name);
  const double got = entry.IsNumber() ? entry.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(got >= static_cast<double>(low) && got <= static_cast<double>(high)) ||
      got != std::trunc(got)) {
    throw wrong(path(name),
                "an integer from " + std::to_string(low) + " to " + std::to_string(high), entry);
  }
  return static_cast<std::int64_t>(got);
}

bool Fields::boolean(const char* name) const {
  const Napi::Value entry = value(name);
  if (!entry.IsBoolean()) throw wrong(path(name), "true or false", entry);
  return entry.As<Napi::Boolean>().Value();
}

std::string Fields::string(const char* name) const {
  const Napi::Value entry = value(name);
  if (!entry.IsString()) throw wrong(path(name), "a string", entry);
  return entry.As<Napi::String>().Utf8Value();
}

std::ptrdiff_t Fields::find_choice(const char* name,
                                   std::span<const std::string_view> names) const {
  const Napi::Value entry = value(name);
  const std::string got = entry.IsString() ? entry.As<Napi::String>().Utf8Value() : std::string();
  const auto found = std::find(names.begin(), names.end(), got);
  if (found != names.end() && entry.IsString()) return found - names.begin();
  std::string takes;
  for (const std::string_view option : names) {
    if (!takes.empty()) takes += " or ";
    takes += quoted(option);
  }
  throw wrong(path(name), takes, entry);
}

RealArray Fields::real_array(const char* name, std::optional<std::size_t> expected) const {
  const Napi::Value entry = value(name);
  if (entry.IsTypedArray()) {
    const napi_typedarray_type type = entry.As<Napi::TypedArray>().TypedArrayType();
    if (type == napi_float32_array) return array<float>(name, expected);
    if (type == napi_float64_array) return array<double>(name, expected);
  }
  throw wrong(path(name), "a Float32Array or Float64Array", entry);
}

}  // namespace secondorder::binding
