// The shards of one solver as threads of one process.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <vector>

#include "base/function_ref.hpp"
#include "base/thread_pool.hpp"
#include "communicator/communicator.hpp"

namespace secondorder {

/// A thread for each shard, the caller's for one of them; with one shard there is nothing else.
class ShardTeam {
 public:
  /// At least one. Throws ERR_OUT_OF_MEMORY where the system grants no thread for each.
  explicit ShardTeam(std::size_t shards);
  ~ShardTeam();
  ShardTeam(const ShardTeam&) = delete;
  ShardTeam& operator=(const ShardTeam&) = delete;

  std::size_t size() const { return size_; }
  /// To be used inside of run(), by the body of that rank.
  Communicator communicator(std::size_t rank);

  /// body(rank) for all ranks at the same time; returns when all have ended. Once a body throws,
  /// those that exchange something with it are released from there; what the lowest rank threw by
  /// itself is thrown again here.
  void run(FunctionRef<void(std::size_t rank)> body);

  /// Bytes of the host's memory that a team of so many takes.
  static std::size_t bytes(std::size_t shards);

 private:
  class Exchange;
  class Member;

  std::size_t size_;
  std::unique_ptr<Exchange> exchange_;
  std::vector<std::unique_ptr<ShardLink>> members_;
  std::vector<std::exception_ptr> failures_;
  ThreadPool threads_;
};

}  // namespace secondorder
