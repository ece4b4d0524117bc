#include "fiber.hpp"

#include <cstdint>
#include <cstring>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace secondorder::emulation {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t stack_bytes = 256 << 10;
#else
constexpr std::size_t stack_bytes = 64 << 10;
#endif

}  // namespace

#if defined(__x86_64__)

// glibc's swapcontext asks the kernel for the signal mask at each switch, a hundred times the cost.
extern "C" void secondorder_switch_stack(void** from, void* to);
asm(R"(
.text
.type secondorder_switch_stack, @function
secondorder_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size secondorder_switch_stack, .-secondorder_switch_stack
.type secondorder_start_stack, @function
.globl secondorder_start_stack
secondorder_start_stack:
  movq %r12, %rdi
  jmp *%r13
.size secondorder_start_stack, .-secondorder_start_stack
)");
extern "C" void secondorder_start_stack();

struct Fiber::State {
  std::unique_ptr<std::byte[]> stack;
  void* pointer = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  const void* bottom = nullptr;
  std::size_t size = 0;
#endif

  void prepare(Entry entry, void* argument) {
    std::byte* const end = stack.get() + stack_bytes;
    std::byte* const top = end - reinterpret_cast<std::uintptr_t>(end) % 16;
    // What the switch pops: r15, r14, r13, r12, rbx, rbp, and the address it returns to; above it
    // the return address that nothing returns to.
    const std::uintptr_t frame[8] = {0,
                                     0,
                                     reinterpret_cast<std::uintptr_t>(entry),
                                     reinterpret_cast<std::uintptr_t>(argument),
                                     0,
                                     0,
                                     reinterpret_cast<std::uintptr_t>(&secondorder_start_stack),
                                     0};
    pointer = top - sizeof frame;
    std::memcpy(pointer, frame, sizeof frame);
  }
  void enter(State& from) { secondorder_switch_stack(&from.pointer, pointer); }
};

#else

struct Fiber::State {
  std::unique_ptr<std::byte[]> stack;
  ucontext_t context{};
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  const void* bottom = nullptr;
  std::size_t size = 0;
#endif

  static void start(unsigned entry_high, unsigned entry_low, unsigned high, unsigned low) {
    const auto join = [](unsigned a, unsigned b) {
      return (static_cast<std::uintptr_t>(a) << 32) | b;
    };
    reinterpret_cast<Entry>(join(entry_high, entry_low))(reinterpret_cast<void*>(join(high, low)));
  }
  void prepare(Entry entry, void* argument) {
    getcontext(&context);
    context.uc_stack.ss_sp = stack.get();
    context.uc_stack.ss_size = stack_bytes;
    const auto e = reinterpret_cast<std::uintptr_t>(entry);
    const auto a = reinterpret_cast<std::uintptr_t>(argument);
    makecontext(&context, reinterpret_cast<void (*)()>(&State::start), 4,
                static_cast<unsigned>(e >> 32), static_cast<unsigned>(e),
                static_cast<unsigned>(a >> 32), static_cast<unsigned>(a));
  }
  void enter(State& from) { swapcontext(&from.context, &context); }
};

#endif

Fiber::Fiber() : state_(std::make_unique<State>()) {}

Fiber::Fiber(Entry entry, void* argument) : state_(std::make_unique<State>()) {
  // Not cleared: a page of the stack that is never reached takes no memory.
  state_->stack = std::make_unique_for_overwrite<std::byte[]>(stack_bytes);
#if defined(__SANITIZE_ADDRESS__)
  state_->bottom = state_->stack.get();
  state_->size = stack_bytes;
#endif
  state_->prepare(entry, argument);
}

Fiber::~Fiber() = default;

void Fiber::switch_from(Fiber& from) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.state_->fake_stack, state_->bottom, state_->size);
  state_->enter(*from.state_);
  __sanitizer_finish_switch_fiber(from.state_->fake_stack, nullptr, nullptr);
#else
  state_->enter(*from.state_);
#endif
}

void Fiber::entered([[maybe_unused]] Fiber& self, [[maybe_unused]] Fiber& from) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(self.state_->fake_stack, &from.state_->bottom,
                                  &from.state_->size);
#endif
}

}  // namespace secondorder::emulation
