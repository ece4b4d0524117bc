#include "communicator/shard_team.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/error.hpp"

namespace secondorder {

namespace {

/// What a shard puts in, or gets, at once.
constexpr std::size_t block_bytes = std::size_t{4} << 20;

/// Thrown in a shard that waits for another that has failed.
struct Released {};

/// Where all shards wait for each other, or learn that one won't come.
class Meeting {
 public:
  explicit Meeting(std::size_t size) : size_(size) {}

  /// Nobody waits, nobody has left.
  void open() {
    const std::lock_guard lock(mutex_);
    waiting_ = 0;
    left_ = failed_ = false;
  }
  void meet() {
    std::unique_lock lock(mutex_);
    const std::size_t now = meetings_;
    if (++waiting_ == size_) {
      waiting_ = 0;
      ++meetings_;
      lock.unlock();
      all_.notify_all();
      return;
    }
    all_.wait(lock, [&] { return meetings_ != now || left_; });
    if (meetings_ != now) return;
    if (failed_) throw Released{};
    throw Error(ErrorCode::internal, "the shards of a solver do not make the same exchanges");
  }
  /// From now on this shard comes to no meeting.
  void leave(bool failed) {
    {
      const std::lock_guard lock(mutex_);
      left_ = true;
      failed_ = failed_ || failed;
    }
    all_.notify_all();
  }

 private:
  std::size_t size_, waiting_ = 0, meetings_ = 0;
  bool left_ = false, failed_ = false;
  std::mutex mutex_;
  std::condition_variable all_;
};

enum class Combine { sum, max, first };

template <class Number>
void combine(Combine how, std::span<const Number> more, std::span<Number> into) {
  for (std::size_t i = 0; i < into.size(); ++i) {
    into[i] = how == Combine::sum ? into[i] + more[i] : std::max(into[i], more[i]);
  }
}

}  // namespace

/// A block of each shard, and one of what they combine to.
class ShardTeam::Exchange {
 public:
  explicit Exchange(std::size_t size)
      : size_(size), meeting_(size), blocks_((size + 1) * block_bytes) {}

  Meeting& meeting() { return meeting_; }

  template <class Number>
  static constexpr std::size_t capacity = block_bytes / sizeof(Number);
  /// Of a shard's rank; at size() that of the result.
  template <class Number>
  std::span<Number> block(std::size_t index, std::size_t count) {
    return {reinterpret_cast<Number*>(blocks_.data() + index * block_bytes), count};
  }
  /// What the first `count` numbers of all blocks combine to. Each shard combines its share of
  /// them: two meetings, and the result stays until the shards meet again.
  template <class Number>
  std::span<Number> combined(Combine how, std::size_t rank, std::size_t count) {
    meeting_.meet();
    if (how == Combine::first) {
      if (rank == 0) std::ranges::copy(block<Number>(0, count), result<Number>(count).begin());
    } else {
      const std::size_t first = count * rank / size_, share = count * (rank + 1) / size_ - first;
      const std::span<Number> into = result<Number>(count).subspan(first, share);
      std::ranges::copy(block<Number>(0, count).subspan(first, share), into.begin());
      for (std::size_t i = 1; i < size_; ++i) {
        combine<Number>(how, block<Number>(i, count).subspan(first, share), into);
      }
    }
    meeting_.meet();
    return result<Number>(count);
  }

 private:
  template <class Number>
  std::span<Number> result(std::size_t count) {
    return block<Number>(size_, count);
  }

  std::size_t size_;
  Meeting meeting_;
  std::vector<std::byte> blocks_;
};

class ShardTeam::Member final : public ShardLink {
 public:
  Member(Exchange& exchange, std::size_t rank, std::size_t size)
      : exchange_(exchange), rank_(rank), size_(size) {}

  std::size_t size() const override { return size_; }
  void sum(std::span<double> values) override { numbers(Combine::sum, values); }
  void max(std::span<double> values) override { numbers(Combine::max, values); }
  void share(std::span<double> values) override { numbers(Combine::first, values); }
  void sum(Algebra<float>& algebra, View<float> a) override { matrix(algebra, a); }
  void sum(Algebra<double>& algebra, View<double> a) override { matrix(algebra, a); }

 private:
  void numbers(Combine how, std::span<double> values) {
    while (!values.empty()) {
      const std::size_t count = std::min(values.size(), Exchange::capacity<double>);
      const std::span<double> now = values.first(count);
      std::ranges::copy(now, exchange_.block<double>(rank_, count).begin());
      std::ranges::copy(exchange_.combined<double>(how, rank_, count), now.begin());
      values = values.subspan(count);
    }
  }

  template <class Real>
  void matrix(Algebra<Real>& algebra, View<Real> a) {
    constexpr std::size_t capacity = Exchange::capacity<Real>;
    const std::size_t cols = std::min(a.cols, capacity);
    const std::size_t rows = cols == 0 ? a.rows : std::min(a.rows, capacity / cols);
    for (std::size_t i = 0; i < a.rows; i += rows) {
      for (std::size_t j = 0; j < a.cols; j += cols) {
        const View<Real> part =
            a.block(i, std::min(rows, a.rows - i)).columns(j, std::min(cols, a.cols - j));
        algebra.download(part, exchange_.block<Real>(rank_, part.size()));
        algebra.upload(exchange_.combined<Real>(Combine::sum, rank_, part.size()), part);
      }
    }
  }

  Exchange& exchange_;
  std::size_t rank_, size_;
};

ShardTeam::ShardTeam(std::size_t shards)
    : size_(shards), failures_(shards), threads_(static_cast<int>(shards)) {
  if (size_ == 1) return;
  if (static_cast<std::size_t>(threads_.threads()) < size_) {
    throw Error(ErrorCode::out_of_memory,
                "the system grants no thread for each of the " + std::to_string(size_) + " GPUs");
  }
  exchange_ = std::make_unique<Exchange>(size_);
  for (std::size_t rank = 0; rank < size_; ++rank) {
    members_.push_back(std::make_unique<Member>(*exchange_, rank, size_));
  }
}

ShardTeam::~ShardTeam() = default;

Communicator ShardTeam::communicator(std::size_t rank) {
  return size_ == 1 ? Communicator() : Communicator(*members_[rank]);
}

void ShardTeam::run(FunctionRef<void(std::size_t)> body) {
  if (size_ == 1) {
    body(0);
    return;
  }
  Meeting& meeting = exchange_->meeting();
  meeting.open();
  // As many threads as ranks: while one waits for the others, there is a thread for each of them.
  threads_.run(size_, [&](std::size_t rank, int) {
    bool failed = true;
    try {
      body(rank);
      failed = false;
    } catch (const Released&) {  // another's failure is the cause
    } catch (...) {
      failures_[rank] = std::current_exception();
    }
    meeting.leave(failed);
  });
  std::exception_ptr first;
  for (std::exception_ptr& failure : failures_) {
    if (failure && !first) first = failure;
    failure = nullptr;
  }
  if (first) std::rethrow_exception(first);
}

std::size_t ShardTeam::bytes(std::size_t shards) {
  return shards == 1 ? 0 : (shards + 1) * block_bytes;
}

}  // namespace secondorder
