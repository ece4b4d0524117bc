#include "callbacks.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/thread_pool.hpp"

namespace secondorder::binding {
namespace {

/// How long a cancelled job may wait before it looks up.
constexpr std::chrono::milliseconds patience{10};

using Array = Napi::Reference<Napi::Float64Array>;

/// The typed array of a reference, filled with `values`; made anew at first, and where a function
/// has given its buffer away.
Napi::Float64Array fill(Napi::Env env, Array& reference, std::span<const double> values) {
  if (reference.IsEmpty() || reference.Value().ElementLength() != values.size()) {
    reference = Napi::Persistent(Napi::Float64Array::New(env, values.size()));
  }
  Napi::Float64Array array = reference.Value();
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

bool is_zero(const Napi::Float64Array& array) {
  return std::all_of(array.Data(), array.Data() + array.ElementLength(),
                     [](double value) { return value == 0; });
}

/// Whether a function may have returned what it should have written: an array, perhaps of rows,
/// whose first `size` entries aren't all zeros. One that has written zeros, and gives them back, is
/// right.
bool holds_more_than_zeros(Napi::Value value, std::size_t size, bool rows = true) {
  if (!value.IsArray() && !value.IsTypedArray()) return false;
  const Napi::HandleScope scope(value.Env());
  try {
    const Napi::Object array = value.As<Napi::Object>();
    const std::size_t length = array.Get("length").ToNumber().Uint32Value();
    for (std::size_t i = 0; i < std::min(length, size); ++i) {
      const Napi::Value entry = array.Get(static_cast<std::uint32_t>(i));
      if (entry.IsNumber() && entry.As<Napi::Number>().DoubleValue() != 0) return true;
      if (rows && holds_more_than_zeros(entry, size, false)) return true;
    }
  } catch (const Napi::Error&) {
    return false;  // an entry that throws when it is read
  }
  return false;
}

std::string message_of(const Napi::Error& error) {
  try {
    const std::string& message = error.Message();
    return message.empty() ? describe(error.Value()) : message;
  } catch (const Napi::Error&) {
    return {};  // a getter that throws, or an environment that is being terminated
  }
}

}  // namespace

void Callbacks::set(Callback callback, Napi::Value function, Napi::Value receiver,
                    const std::string& path) {
  if (function.IsUndefined() || function.IsNull()) return;
  if (!function.IsFunction()) throw wrong(path, "a function", function);
  Function& entry = functions_[static_cast<std::size_t>(callback)];
  entry.call = Napi::Persistent(function.As<Napi::Function>());
  entry.receiver = Napi::Persistent(receiver.As<Napi::Object>());
  entry.path = path;
}

Napi::Value Callbacks::call(const Function& function, std::span<const napi_value> arguments) {
  try {
    return function.call.Value().Call(function.receiver.Value(), arguments.size(),
                                      arguments.data());
  } catch (const Napi::Error& error) {
    if (!thrown_) thrown_.emplace(error);
    throw Error(ErrorCode::evaluation, function.path + " threw: " + message_of(error));
  }
}

void Callbacks::evaluate(Napi::Env env, Evaluation& evaluation) {
  const Napi::HandleScope scope(env);
  const Function& target = function(evaluation.callback);
  napi_value arguments[5];
  std::size_t count = 0;
  arguments[count++] = fill(env, x_, evaluation.x);
  const bool second = evaluation.callback == Callback::hessian_values ||
                      evaluation.callback == Callback::hessian_product;
  if (second) {
    arguments[count++] = Napi::Number::New(env, evaluation.sigma);
    arguments[count++] = fill(env, lambda_, evaluation.lambda);
  }
  if (evaluation.callback == Callback::hessian_product) {
    arguments[count++] = fill(env, v_, evaluation.v);
  }
  if (evaluation.callback == Callback::objective) {
    const Napi::Value value = call(target, {arguments, count});
    if (!value.IsNumber()) {
      throw Error(ErrorCode::evaluation,
                  target.path + " must return a number, got " + describe(value));
    }
    evaluation.value = value.As<Napi::Number>().DoubleValue();
    return;
  }
  Array& reference = out_[static_cast<std::size_t>(evaluation.callback)];
  std::fill(evaluation.out.begin(), evaluation.out.end(), 0.0);
  arguments[count++] = fill(env, reference, evaluation.out);
  const Napi::Value returned = call(target, {arguments, count});
  if (returned.IsPromise()) {
    throw Error(ErrorCode::evaluation, target.path + " must be synchronous, got a promise");
  }
  const Napi::Float64Array answer = reference.Value();
  if (answer.ElementLength() != evaluation.out.size()) {
    throw Error(ErrorCode::evaluation, target.path + " has given away the buffer of its output");
  }
  if (!returned.StrictEquals(answer) && is_zero(answer) &&
      holds_more_than_zeros(returned, answer.ElementLength())) {
    throw Error(ErrorCode::evaluation,
                target.path + " must write its values into its last argument, not return an array");
  }
  std::copy_n(answer.Data(), evaluation.out.size(), evaluation.out.begin());
}

std::shared_ptr<CallbackExchange> CallbackExchange::open(Napi::Env env, Callbacks& callbacks) {
  auto exchange = std::make_shared<CallbackExchange>();
  exchange->callbacks_ = &callbacks;
  try {
    for (Bell& bell : exchange->bells_) {
      auto kept = std::make_unique<Kept>(exchange);
      bell.wake_up = WakeUp::New(
          env, "secondorder.callback", 0, 1, kept.get(),
          [](Napi::Env, void*, Kept* last) { delete last; }, static_cast<void*>(nullptr));
      static_cast<void>(kept.release());  // the finalizer owns it from here on
      bell.deserted = false;
    }
  } catch (...) {
    exchange->close();
    throw;
  }
  return exchange;
}

void CallbackExchange::forget_callbacks() {
  const std::lock_guard lock(mutex_);
  callbacks_ = nullptr;
}

void CallbackExchange::close() {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = true;
  for (Bell& bell : bells_) {
    // Once refused, the wake-up has forgotten this thread and must not be touched again.
    if (!bell.deserted) bell.wake_up.Release();
  }
}

void CallbackExchange::ring() {
  Bell& bell = bells_[second_ ? 1 : 0];
  second_ = !second_;
  bell.deserted = bell.wake_up.NonBlockingCall() != napi_ok;
  deserted_ = bell.deserted;
}

void CallbackExchange::store(const Evaluation& evaluation) {
  const auto copy = [](std::span<const double> from, std::vector<double>& to) {
    to.assign(from.begin(), from.end());
    return std::span<const double>(to);
  };
  evaluation_ = evaluation;
  evaluation_.x = copy(evaluation.x, x_);
  evaluation_.lambda = copy(evaluation.lambda, lambda_);
  evaluation_.v = copy(evaluation.v, v_);
  out_.assign(evaluation.out.size(), 0.0);
  evaluation_.out = out_;
}

void CallbackExchange::ask(Evaluation& evaluation, const RunControl& control) {
  std::unique_lock lock(mutex_);
  if (control.cancelled() || deserted_ || state_ != State::idle) throw Cancelled{};
  store(evaluation);
  failure_ = nullptr;
  state_ = State::asked;
  ring();
  while (state_ != State::answered) {
    if (control.cancelled() || deserted_) {
      // A question that nobody has looked at is withdrawn; one being answered stays unanswered.
      if (state_ == State::asked) state_ = State::idle;
      throw Cancelled{};
    }
    answered_.wait_for(lock, patience);
  }
  state_ = State::idle;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  std::copy(out_.begin(), out_.end(), evaluation.out.begin());
  evaluation.value = evaluation_.value;
}

void CallbackExchange::look(Napi::Env env, Napi::Function, Kept* exchange, void*) {
  // Without an environment this is a leftover of a closing one.
  if (static_cast<napi_env>(env) != nullptr) (*exchange)->answer(env);
}

void CallbackExchange::answer(Napi::Env env) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::asked || callbacks_ == nullptr) return;
    state_ = State::answering;
  }
  std::exception_ptr failure;
  try {
    callbacks_->evaluate(env, evaluation_);
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  failure_ = failure;
  state_ = State::answered;
  answered_.notify_one();
}

}  // namespace secondorder::binding
