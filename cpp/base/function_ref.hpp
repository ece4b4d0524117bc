// A callable that is only borrowed: what an operation hands to the team without allocating.
#pragma once

#include <memory>
#include <type_traits>

namespace secondorder {

template <class Signature>
class FunctionRef;

/// Calls a function object that outlives it, such as a lambda written as an argument.
template <class Result, class... Arguments>
class FunctionRef<Result(Arguments...)> {
 public:
  template <class Function>
  requires(!std::is_same_v<Function, FunctionRef> &&
           std::is_invocable_r_v<Result, const Function&, Arguments...>)
      FunctionRef(const Function& function)  // NOLINT(google-explicit-constructor): an argument
      : object_(std::addressof(function)),
        call_([](const void* object, Arguments... arguments) -> Result {
          return (*static_cast<const Function*>(object))(arguments...);
        }) {}

  Result operator()(Arguments... arguments) const { return call_(object_, arguments...); }

 private:
  const void* object_;
  Result (*call_)(const void*, Arguments...);
};

}  // namespace secondorder
