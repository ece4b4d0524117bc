// The threads that an object of Fisher blocks works with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "algebra/cpu/tiling.hpp"
#include "base/function_ref.hpp"
#include "base/thread_pool.hpp"
#include "mfac/fisher_blocks_form.hpp"
#include "mfac/fisher_blocks_team.hpp"

namespace secondorder::mfac {

/// Whether all threads share the work on each block. Blocks that keep one thread busy are given to
/// one each; few or large ones are shared. `order` is that of a block's factor.
inline bool blocks_are_shared(const BlockShape& shape, std::size_t order) {
  constexpr std::size_t few_blocks = 8, large_order = 1024, large_block = 1 << 16;
  return shape.blocks() < few_blocks || order >= large_order || shape.block_size >= large_block;
}

/// Made for a number of threads and a way to share the work.
class Teams {
 public:
  Teams(int asked, bool shared_blocks) : asked_(asked), shared_(shared_blocks) {
    if (shared_) {
      teams_.push_back(std::make_unique<Team>(asked, true));
      return;
    }
    pool_ = std::make_unique<ThreadPool>(asked);
    for (int i = 0; i < pool_->threads(); ++i) teams_.push_back(std::make_unique<Team>(1, false));
  }
  bool serves(int asked, bool shared_blocks) const {
    return asked == asked_ && shared_blocks == shared_;
  }

  /// Calls body(team, i) for i in [0, count); i in turn where blocks are shared.
  void run(std::size_t count, std::size_t at_once, const RunControl& control,
           FunctionRef<void(Team&, std::size_t)> body) {
    const Watch watch(*this, &control);
    if (shared_) {
      for (std::size_t i = 0; i < count; ++i) {
        if (control.stop_requested()) throw Cancelled{};
        body(*teams_.front(), i);
      }
      return;
    }
    const std::size_t tasks = divide_up(count, at_once);
    pool_->run(tasks, [&](std::size_t task, int thread) {
      Team& team = *teams_[static_cast<std::size_t>(thread)];
      const std::size_t last = std::min(count, (task + 1) * at_once);
      for (std::size_t i = task * at_once; i < last; ++i) body(team, i);
    });
  }

 private:
  /// The control is watched, and scratch is held, for as long as work goes on.
  class Watch {
   public:
    Watch(Teams& teams, const RunControl* control) : teams_(teams) { set(control); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
      set(nullptr);
      for (const auto& team : teams_.teams_) team->release();
    }

   private:
    void set(const RunControl* control) {
      if (teams_.pool_) teams_.pool_->watch(control, StopOn::time_limit);
      for (const auto& team : teams_.teams_) team->watch(control);
    }
    Teams& teams_;
  };

  int asked_;
  bool shared_;
  std::unique_ptr<ThreadPool> pool_;
  std::vector<std::unique_ptr<Team>> teams_;
};

}  // namespace secondorder::mfac
