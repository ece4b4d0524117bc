#include "base/thread_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/run_control.hpp"

using namespace secondorder;

namespace {

/// How often each task ran, by thread ids that are in range.
std::vector<int> runs(ThreadPool& pool, std::size_t tasks) {
  std::vector<std::atomic<int>> counts(tasks);
  std::atomic<bool> in_range{true};
  pool.run(tasks, [&](std::size_t task, int thread) {
    ++counts[task];
    if (thread < 0 || thread >= pool.threads()) in_range = false;
  });
  CHECK(in_range);
  return {counts.begin(), counts.end()};
}

}  // namespace

TEST_SUITE("thread pool") {
  TEST_CASE("every task runs once, for any number of threads and tasks") {
    for (const int threads : {1, 2, 3, 5}) {
      ThreadPool pool(threads);
      CHECK(pool.threads() == threads);
      for (const std::size_t tasks : {0U, 1U, 2U, 3U, 64U, 1000U}) {
        CAPTURE(threads);
        CAPTURE(tasks);
        CHECK(runs(pool, tasks) == std::vector<int>(tasks, 1));
      }
    }
  }

  TEST_CASE("0 threads mean all that the process may use") {
    CHECK(available_threads() >= 1);
    CHECK(ThreadPool(0).threads() == available_threads());
  }

  TEST_CASE("tasks run on several threads at once") {
    ThreadPool pool(2);
    std::atomic<int> inside{0};
    std::atomic<bool> met{false};
    pool.run(2, [&](std::size_t, int) {
      ++inside;
      const auto start = std::chrono::steady_clock::now();
      while (inside < 2 && std::chrono::steady_clock::now() - start < std::chrono::seconds(10)) {
        std::this_thread::yield();
      }
      if (inside == 2) met = true;
    });
    CHECK(met);
  }

  TEST_CASE("the first exception comes out, and the pool goes on") {
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      for (int round = 0; round < 20; ++round) {
        CHECK_THROWS_AS(pool.run(100,
                                 [](std::size_t task, int) {
                                   if (task == 7) throw std::out_of_range("task 7");
                                 }),
                        std::out_of_range);
        CHECK(runs(pool, 50) == std::vector<int>(50, 1));
      }
    }
  }

  TEST_CASE("tasks after an exception are not started any more") {
    ThreadPool pool(2);
    std::atomic<int> started{0};
    CHECK_THROWS_AS(pool.run(100000,
                             [&](std::size_t, int) {
                               ++started;
                               throw std::runtime_error("every task fails");
                             }),
                    std::runtime_error);
    CHECK(started <= 2);
  }

  TEST_CASE("a cancelled control stops the run, and an unwatched pool works again") {
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      RunControl control;
      pool.watch(&control);
      CHECK(runs(pool, 10) == std::vector<int>(10, 1));
      std::atomic<std::size_t> done{0};
      CHECK_THROWS_AS(pool.run(100000,
                               [&](std::size_t task, int) {
                                 ++done;
                                 if (task == 20) control.cancel();
                               }),
                      Cancelled);
      CHECK(done >= 1);
      CHECK(done < 100000);
      CHECK_THROWS_AS(pool.run(1, [](std::size_t, int) {}), Cancelled);
      CHECK_THROWS_AS(pool.run(5, [](std::size_t, int) {}), Cancelled);
      pool.watch(nullptr);
      CHECK(runs(pool, 100) == std::vector<int>(100, 1));
    }
  }

  TEST_CASE("many short runs lose no wake-up") {
    ThreadPool pool(3);
    std::atomic<std::size_t> total{0};
    for (int round = 0; round < 3000; ++round) {
      pool.run(4, [&](std::size_t task, int) { total += task; });
    }
    CHECK(total == 3000 * 6);
  }

  TEST_CASE("run control: time and progress") {
    RunControl control;
    CHECK_FALSE(control.stop_requested());
    control.time_limit = 0;
    CHECK(control.out_of_time());
    CHECK(control.stop_requested());
    control.report({{"nobody", 1}});
    std::vector<double> values;
    control.on_progress = [&](std::span<const NamedNumber> figures) {
      for (const NamedNumber& figure : figures) values.push_back(figure.value);
    };
    control.report({{"a", 1}, {"b", 2}});
    CHECK(values == std::vector<double>{1, 2});
  }
}
