#include "block.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fiber.hpp"

thread_local constinit uint3 threadIdx{0, 0, 0};
thread_local constinit uint3 blockIdx{0, 0, 0};
thread_local constinit dim3 blockDim{};
thread_local constinit dim3 gridDim{};

namespace secondorder::emulation {

namespace {

constexpr unsigned warp_size = 32;

enum class Wait { nothing, barrier, warp };

struct Thread {
  Fiber* fiber = nullptr;  ///< that it waits on
  Wait wait = Wait::nothing;
  bool ended = false;
  std::uint32_t mask = 0;
  std::uint64_t value = 0;
  unsigned source = 0;
  WarpResult result;
};

class Block;
thread_local Block* running = nullptr;

/// The threads of one block after another. A fiber runs threads to their end, one after another,
/// until one has to wait; then the next fiber goes on.
class Block {
 public:
  Block(dim3 size, std::size_t shared_bytes, FunctionRef<void()> thread)
      : size_(size),
        threads_(std::size_t{size.x} * size.y * size.z),
        shared_(shared_bytes),
        body_(thread) {}

  void run(bool backwards) {
    std::fill(threads_.begin(), threads_.end(), Thread{});
    std::fill(shared_.begin(), shared_.end(), std::byte{0xFF});
    backwards_ = backwards;
    next_ = 0;
    alive_ = threads_.size();
    at_barrier_ = 0;
    votes_ = 0;
    while (next_ < threads_.size()) resume(*free_fiber());
    while (alive_ > 0) {
      bool moved = false;
      for (std::size_t i = 0; i < threads_.size(); ++i) {
        Thread& thread = threads_[numbered(i)];
        if (thread.ended || thread.wait != Wait::nothing) continue;
        moved = true;
        select(numbered(i));
        resume(*thread.fiber);
      }
      if (!moved) throw std::logic_error(stuck());
    }
  }

  void* shared() { return shared_.data(); }

  unsigned barrier(bool vote) {
    votes_ += vote ? 1U : 0U;
    if (++at_barrier_ == alive_) {
      release_barrier();
    } else {
      wait(Wait::barrier);
    }
    return counted_votes_;
  }

  WarpResult exchange(std::uint32_t mask, std::uint64_t value, unsigned source) {
    Thread& self = threads_[current_];
    const unsigned own = static_cast<unsigned>(current_ % warp_size);
    if (((mask >> own) & 1U) == 0) throw std::logic_error("a lane is not in its own mask");
    if (((mask >> source) & 1U) == 0) throw std::logic_error("a lane reads one outside its mask");
    self.mask = mask;
    self.value = value;
    self.source = source;
    self.wait = Wait::warp;
    if (warp_complete(mask)) {
      finish_warp(mask);
    } else {
      wait(Wait::warp);
    }
    return self.result;
  }

  unsigned lane() const { return static_cast<unsigned>(current_ % warp_size); }

 private:
  std::size_t numbered(std::size_t i) const { return backwards_ ? threads_.size() - 1 - i : i; }

  void select(std::size_t thread) {
    current_ = thread;
    const auto t = static_cast<unsigned>(thread);
    threadIdx = {t % size_.x, t / size_.x % size_.y, t / size_.x / size_.y};
  }

  Fiber* free_fiber() {
    if (free_.empty()) {
      fibers_.push_back(std::make_unique<Fiber>(&Block::enter, this));
      return fibers_.back().get();
    }
    Fiber* fiber = free_.back();
    free_.pop_back();
    return fiber;
  }

  void resume(Fiber& fiber) {
    fiber_ = &fiber;
    fiber.switch_from(scheduler_);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  static void enter(void* block) {
    Block& self = *static_cast<Block*>(block);
    Fiber::entered(*self.fiber_, self.scheduler_);
    self.work();
  }

  /// The life of a fiber.
  void work() {
    for (;;) {
      while (next_ < threads_.size()) {
        select(numbered(next_++));
        try {
          body_();
        } catch (...) {
          failure_ = std::current_exception();
        }
        threads_[current_].ended = true;
        --alive_;
        if (failure_) break;
        if (alive_ > 0 && at_barrier_ == alive_) release_barrier();
      }
      Fiber& self = *fiber_;
      free_.push_back(&self);
      scheduler_.switch_from(self);
    }
  }

  void wait(Wait reason) {
    const std::size_t self = current_;
    Fiber& fiber = *fiber_;
    threads_[self].fiber = &fiber;
    threads_[self].wait = reason;
    scheduler_.switch_from(fiber);
  }

  void release_barrier() {
    at_barrier_ = 0;
    counted_votes_ = std::exchange(votes_, 0);
    for (Thread& thread : threads_) {
      if (thread.wait == Wait::barrier) thread.wait = Wait::nothing;
    }
  }

  Thread* lane_of_warp(unsigned lane) {
    const std::size_t index = current_ / warp_size * warp_size + lane;
    return index < threads_.size() ? &threads_[index] : nullptr;
  }

  bool warp_complete(std::uint32_t mask) {
    for (unsigned lane = 0; lane < warp_size; ++lane) {
      if (((mask >> lane) & 1U) == 0) continue;
      const Thread* thread = lane_of_warp(lane);
      if (thread == nullptr || thread->ended) {
        throw std::logic_error("a warp operation names a lane that has ended or never was");
      }
      if (thread->wait != Wait::warp || thread->mask != mask) return false;
    }
    return true;
  }

  void finish_warp(std::uint32_t mask) {
    std::uint32_t ballot = 0;
    for (unsigned lane = 0; lane < warp_size; ++lane) {
      if (((mask >> lane) & 1U) != 0 && lane_of_warp(lane)->value != 0) ballot |= 1U << lane;
    }
    for (unsigned lane = 0; lane < warp_size; ++lane) {
      if (((mask >> lane) & 1U) == 0) continue;
      Thread& thread = *lane_of_warp(lane);
      thread.result = {lane_of_warp(thread.source)->value, ballot};
      thread.wait = Wait::nothing;
    }
  }

  std::string stuck() const {
    std::size_t barrier = 0, warp = 0;
    for (const Thread& thread : threads_) {
      barrier += thread.wait == Wait::barrier ? 1U : 0U;
      warp += thread.wait == Wait::warp ? 1U : 0U;
    }
    return "a block cannot go on: of " + std::to_string(alive_) + " threads, " +
           std::to_string(barrier) + " wait at a barrier and " + std::to_string(warp) +
           " at a warp operation";
  }

  dim3 size_;
  std::vector<Thread> threads_;
  std::vector<std::byte> shared_;
  FunctionRef<void()> body_;
  bool backwards_ = false;
  std::size_t next_ = 0, alive_ = 0, at_barrier_ = 0, current_ = 0;
  unsigned votes_ = 0, counted_votes_ = 0;  ///< of the barrier that fills, and of the last one
  Fiber scheduler_;
  Fiber* fiber_ = nullptr;  ///< that runs now
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> free_;
  std::exception_ptr failure_;
};

}  // namespace

void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, FunctionRef<void()> thread) {
  Block all(block, shared_bytes, thread);
  struct Running {
    explicit Running(Block* block) { running = block; }
    ~Running() { running = nullptr; }
  } const now(&all);
  gridDim = grid;
  blockDim = block;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = {x, y, z};
        all.run((x + y + z) % 2 == 1);
      }
    }
  }
}

void* dynamic_shared_memory() { return running->shared(); }
unsigned block_barrier(bool vote) { return running->barrier(vote); }
WarpResult warp_exchange(std::uint32_t mask, std::uint64_t value, unsigned source) {
  return running->exchange(mask, value, source);
}
unsigned lane() { return running->lane(); }

}  // namespace secondorder::emulation
