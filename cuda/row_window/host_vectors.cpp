#include "row_window/host_vectors.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>

#include "base/finite.hpp"

namespace secondorder::cuda {

namespace {

/// Values that a thread copies at a time, and looks at while they are in its first cache.
constexpr std::size_t part_values = 4 * 1024;
/// More threads than this gain nothing: memory is busy.
constexpr int most_threads = 8;

void note_least(std::atomic<std::size_t>& least, std::size_t value) {
  std::size_t known = least;
  while (value < known && !least.compare_exchange_weak(known, value)) {
  }
}

}  // namespace

void HostVectors::parts(std::size_t count, FunctionRef<void(std::size_t, std::size_t)> body) {
  const std::size_t tasks = (count + part_values - 1) / part_values;
  const auto part = [&](std::size_t task, int) {
    body(task * part_values, std::min((task + 1) * part_values, count));
  };
  if (ThreadPool* pool = tasks < 16 ? nullptr : team()) {
    pool->run(tasks, part);
  } else {
    for (std::size_t task = 0; task < tasks; ++task) part(task, 0);
  }
}

ThreadPool* HostVectors::team() {
  const int threads = std::min(wanted_ > 0 ? wanted_ : available_threads(), most_threads);
  if (threads < 2) return nullptr;
  // Nobody cancels this pool, and its tasks don't throw: no exception begins here.
  try {
    if (!pool_ || pool_->threads() != threads) pool_ = std::make_unique<ThreadPool>(threads);
  } catch (const std::system_error&) {  // no more threads to be had
    return nullptr;
  }
  return pool_.get();
}

template <class To>
std::size_t HostVectors::gather(const HostVector& x, std::size_t offset, std::size_t first,
                                std::size_t count, To* to) {
  std::atomic<std::size_t> bad = count;
  std::visit(
      [&](const auto& values) {
        parts(count, [&](std::size_t begin, std::size_t end) {
          if (active_.empty()) {
            const auto* from = values.data() + (first - offset);
            for (std::size_t j = begin; j < end; ++j) to[j] = static_cast<To>(from[j]);
          } else {
            for (std::size_t j = begin; j < end; ++j) {
              to[j] = static_cast<To>(values[active_[first + j] - offset]);
            }
          }
          const std::size_t found = first_non_finite(to + begin, end - begin);
          if (found < end - begin) note_least(bad, begin + found);
        });
      },
      x);
  return bad;
}

bool HostVectors::scatter(const float* from, std::size_t first, std::size_t count,
                          std::span<float> out) {
  std::atomic<bool> finite = true;
  parts(count, [&](std::size_t begin, std::size_t end) {
    if (active_.empty()) {
      std::copy(from + begin, from + end, out.data() + first + begin);
    } else {
      for (std::size_t j = begin; j < end; ++j) out[active_[first + j]] = from[j];
    }
    if (first_non_finite(from + begin, end - begin) < end - begin) finite = false;
  });
  return finite;
}

template std::size_t HostVectors::gather(const HostVector&, std::size_t, std::size_t, std::size_t,
                                         float*);
template std::size_t HostVectors::gather(const HostVector&, std::size_t, std::size_t, std::size_t,
                                         double*);

}  // namespace secondorder::cuda
