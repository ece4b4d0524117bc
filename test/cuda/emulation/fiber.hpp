// A stack of its own for each thread of a block, and the switch between two of them.
#pragma once

#include <cstddef>
#include <memory>

namespace secondorder::emulation {

/// Runs entry(argument) on its own stack, which entry never returns from: it switches away.
class Fiber {
 public:
  using Entry = void (*)(void* argument);
  /// The stack of the thread that is running.
  Fiber();
  Fiber(Entry entry, void* argument);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Leaves the running fiber, which is `from`, for this one; returns once something switches back.
  void switch_from(Fiber& from);
  /// To be called first thing on a new stack.
  static void entered(Fiber& self, Fiber& from);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace secondorder::emulation
