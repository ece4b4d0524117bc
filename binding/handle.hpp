// Native objects that JavaScript holds: handles, and jobs on them.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "job.hpp"
#include "marshal.hpp"

namespace secondorder::binding {

/// Specialized for a class whose objects are handed out:
///   argument  what handles are called in specs and messages
///   what      what a handle holds, as in "a Fisher window"
///   tag       a number of its own
///   Facts     what changes as work goes on, with `bytes`, read by `facts(object)`
template <class Object>
struct HandleTraits;

/// The object with the mutex that keeps calls on it apart. Work that is under way keeps it alive
/// past the handle's end.
template <class Object>
struct Shared {
  explicit Shared(std::unique_ptr<Object> owned) : object(std::move(owned)) {}
  std::mutex mutex;
  std::unique_ptr<Object> object;
};

/// What a JavaScript object wraps; lives on the JavaScript thread.
template <class Object>
class Handle {
 public:
  using Traits = HandleTraits<Object>;
  using Facts = typename Traits::Facts;

  static Napi::Value wrap(Napi::Env env, std::unique_ptr<Object> owned) {
    const Napi::Object object = Napi::Object::New(env);
    auto handle = std::make_unique<Handle>(std::make_shared<Shared<Object>>(std::move(owned)));
    const napi_status status = napi_wrap(env, object, handle.get(), finalize, nullptr, nullptr);
    if (status != napi_ok) throw Napi::Error::New(env);
    handle.release()->tell(env);  // the object owns it from here on
    object.TypeTag(&Traits::tag);
    return object;
  }

  static Handle& of(Napi::Value value) {
    void* data = nullptr;
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&Traits::tag) ||
        napi_unwrap(value.Env(), value, &data) != napi_ok) {
      throw wrong(Traits::argument, Traits::what, value);
    }
    return *static_cast<Handle*>(data);
  }
  static Handle& of(const Fields& spec) { return of(spec.value(Traits::argument)); }

  explicit Handle(std::shared_ptr<Shared<Object>> state) : state_(std::move(state)) {}

  std::shared_ptr<Shared<Object>> state() const {
    if (state_) return state_;
    throw Error(ErrorCode::disposed,
                std::string("The handle of ") + Traits::what + " was disposed of",
                Traits::argument);
  }

  /// Calls body(object) here and now, after any work that is under way.
  template <class Body>
  void use(Napi::Env env, const Body& body) {
    const auto kept = state();
    {
      const std::lock_guard lock(kept->mutex);
      body(*kept->object);
    }
    tell(env);
  }

  void dispose(Napi::Env env) {
    state_.reset();
    tell(env);
  }

  /// Looks at the object, unless a job is at work on it, and tells the garbage collector what it
  /// holds.
  void tell(Napi::Env env) {
    if (!state_) {
      facts_ = {};
    } else if (const std::unique_lock lock(state_->mutex, std::try_to_lock); lock.owns_lock()) {
      facts_ = Traits::facts(*state_->object);
    }
    const auto bytes = static_cast<std::int64_t>(facts_.bytes);
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes - told_);
    told_ = bytes;
  }
  /// As they were when last looked at.
  const Facts& facts() const { return facts_; }

 private:
  static void finalize(napi_env env, void* data, void*) {
    const std::unique_ptr<Handle> handle(static_cast<Handle*>(data));
    handle->dispose(Napi::Env(env));
  }

  std::shared_ptr<Shared<Object>> state_;
  Facts facts_;
  std::int64_t told_ = 0;
};

/// A job on a handle.
template <class Object>
class HandleTask : public Task {
 public:
  explicit HandleTask(const Fields& spec)
      : state_(Handle<Object>::of(spec).state()),
        handle_(Napi::Persistent(
            spec.value(HandleTraits<Object>::argument).template As<Napi::Object>())) {}

  void run(RunControl& control) final {
    const std::lock_guard lock(state_->mutex);
    run_stoppable(control, [&] { work(*state_->object, control); });
  }

  Napi::Value deliver(Napi::Env env) final {
    Handle<Object>::of(handle_.Value()).tell(env);
    Napi::Object result = Napi::Object::New(env);
    write(env, result);
    return result;
  }

 protected:
  virtual void work(Object& object, RunControl& control) = 0;
  virtual void write(Napi::Env, Napi::Object) {}

 private:
  std::shared_ptr<Shared<Object>> state_;
  Napi::ObjectReference handle_;
};

/// A Float32Array for work to fill: `out` of the spec where arrays are used in place, or else a new
/// one, which JavaScript doesn't see before it is delivered.
class OutputFloats {
 public:
  OutputFloats(const Fields& spec, std::size_t count)
      : array_(Napi::Persistent(array(spec, count))), view_(array_.Value().Data(), count) {}

  std::span<float> view() const { return view_; }
  Napi::Value deliver() const { return array_.Value(); }

 private:
  static Napi::Float32Array array(const Fields& spec, std::size_t count) {
    if (spec.inputs() == Inputs::copied || !spec.has("out")) {
      return Napi::Float32Array::New(spec.env(), count);
    }
    const Napi::Value out = spec.value("out");
    inspect_array(out, napi_float32_array, ElementType<float>::name, "out", count);
    return out.As<Napi::Float32Array>();
  }

  Napi::Reference<Napi::Float32Array> array_;
  std::span<float> view_;
};

}  // namespace secondorder::binding
