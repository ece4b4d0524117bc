// The functions of a JavaScript problem, called on the JavaScript thread or asked for from another.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/run_control.hpp"
#include "marshal.hpp"

namespace secondorder::binding {

enum class Callback {
  objective,
  gradient,
  constraint,
  jacobian_values,
  hessian_values,
  hessian_product
};
inline constexpr std::size_t callback_count = 6;

/// One call: what goes in, and where the answer goes. `lambda`, `v` and `out` are empty where the
/// function has none.
struct Evaluation {
  Callback callback = Callback::objective;
  std::span<const double> x = {}, lambda = {}, v = {};
  double sigma = 0;
  std::span<double> out = {};
  double value = 0;  ///< the answer of the objective
};

/// Lives on the JavaScript thread. The arrays that the functions get are the same at every call:
/// making them anew would cost more than most evaluations.
class Callbacks {
 public:
  /// An absent function is undefined or null; `path` is its name in messages.
  void set(Callback callback, Napi::Value function, Napi::Value receiver, const std::string& path);
  bool has(Callback callback) const { return !function(callback).call.IsEmpty(); }

  /// Throws Error(evaluation) where the function throws, or gives what it must not.
  void evaluate(Napi::Env env, Evaluation& evaluation);
  /// What a function threw first: it ended the run, and the last check may throw again.
  const std::optional<Napi::Error>& thrown() const { return thrown_; }

 private:
  struct Function {
    Napi::FunctionReference call;
    Napi::ObjectReference receiver;
    std::string path;
  };
  using Array = Napi::Reference<Napi::Float64Array>;

  const Function& function(Callback callback) const {
    return functions_[static_cast<std::size_t>(callback)];
  }
  Napi::Value call(const Function& function, std::span<const napi_value> arguments);

  Function functions_[callback_count];
  Array x_, lambda_, v_, out_[callback_count];
  std::optional<Napi::Error> thrown_;
};

/// Lets the thread of a job call the functions: it asks, the JavaScript thread answers, it waits. A
/// cancelled job leaves at once, also while an answer is being worked out, which then goes nowhere:
/// the JavaScript thread may be waiting for the job to end.
class CallbackExchange {
 public:
  /// On the JavaScript thread. `callbacks` must live until forget_callbacks().
  static std::shared_ptr<CallbackExchange> open(Napi::Env env, Callbacks& callbacks);
  /// On the JavaScript thread.
  void forget_callbacks();

  /// On the thread of the job, with its control. Throws Cancelled when the job is, or when nobody
  /// is left to answer.
  void ask(Evaluation& evaluation, const RunControl& control);
  /// On the thread of the job, after its last question, or where it was never started.
  void close();

 private:
  enum class State { idle, asked, answering, answered };
  /// Keeps the exchange alive for as long as wake-ups may arrive.
  using Kept = std::shared_ptr<CallbackExchange>;
  static void look(Napi::Env env, Napi::Function, Kept* exchange, void*);
  using WakeUp = Napi::TypedThreadSafeFunction<Kept, void, &CallbackExchange::look>;

  /// Wakes JavaScript, or finds that nobody is there to be woken.
  struct Bell {
    WakeUp wake_up;
    bool deserted = true;  // not made yet, or the environment is closing
  };

  void store(const Evaluation& evaluation);
  void ring();
  void answer(Napi::Env env);

  std::mutex mutex_;  // guards what follows
  std::condition_variable answered_;
  State state_ = State::idle;
  bool deserted_ = false;  // a bell is
  bool closed_ = false;
  std::exception_ptr failure_;
  Callbacks* callbacks_ = nullptr;
  /// Rung by turns. Node looks at a wake-up again, up to 1000 times, before it returns to its event
  /// loop: timers and aborts would have to wait for as many evaluations.
  Bell bells_[2];
  bool second_ = false;  // whose turn it is

  Evaluation evaluation_;  // with spans of the vectors below, which belong to whose turn it is
  std::vector<double> x_, lambda_, v_, out_;
};

}  // namespace secondorder::binding
