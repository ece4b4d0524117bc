// Shards that talk: what they exchange, and what becomes of them when one fails.
#include "communicator/shard_team.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

template <class Real>
std::vector<Matrix<Real>> matrices(std::size_t count, std::size_t rows, std::size_t cols,
                                   Random& random) {
  std::vector<Matrix<Real>> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(Matrix<Real>::normal(rows, cols, random, 3));
  }
  return all;
}

/// The sum in the order of ranks.
template <class Real>
Matrix<Real> summed(const std::vector<Matrix<Real>>& all) {
  Matrix<Real> sum = all[0];
  for (std::size_t s = 1; s < all.size(); ++s) {
    for (std::size_t i = 0; i < sum.rows(); ++i) {
      for (std::size_t j = 0; j < sum.cols(); ++j) sum(i, j) += all[s](i, j);
    }
  }
  return sum;
}

}  // namespace

TEST_SUITE("shard team") {
  TEST_CASE("numbers: sums, maxima and the first shard's, on all shards") {
    for (const std::size_t size : {1U, 2U, 3U, 8U}) {
      CAPTURE(size);
      ShardTeam team(size);
      const std::size_t many = size == 1 ? 5 : 1'200'000;  // more than one block
      team.run([&](std::size_t rank) {
        Communicator shards = team.communicator(rank);
        CHECK(shards.size() == size);
        const auto own = static_cast<double>(rank + 1), all = static_cast<double>(size);
        CHECK(shards.sum(own) == all * (all + 1) / 2);
        CHECK(shards.max(-own) == -1);
        std::vector<double> values(many, own);
        values.back() = 10 * own;
        std::vector<double> largest = values, first = values;
        shards.sum(values);
        shards.max(largest);
        shards.share(first);
        CHECK(values[0] == all * (all + 1) / 2);
        CHECK(values.back() == 10 * values[0]);
        CHECK(largest[many / 2] == all);
        CHECK(largest.back() == 10 * all);
        CHECK(first[0] == 1);
        CHECK(first.back() == 10);
      });
    }
  }

  TEST_CASE_TEMPLATE("matrices, also of more than a block, in rows with a stride", Real, float,
                     double) {
    Random random(1);
    const std::size_t shapes[][2] = {{0, 3}, {3, 0}, {1, 1}, {7, 5}, {900, 1300}, {2, 1'500'000}};
    for (const auto& [rows, cols] : shapes) {
      CAPTURE(rows);
      for (const std::size_t size : {1U, 3U}) {
        std::vector<Matrix<Real>> all = matrices<Real>(size, rows, cols, random);
        const Matrix<Real> sum = summed(all);
        ShardTeam team(size);
        team.run([&](std::size_t rank) {
          CpuAlgebra<Real> algebra(1);
          team.communicator(rank).sum(algebra, all[rank].view());
        });
        for (const Matrix<Real>& matrix : all) {
          CHECK(identical(matrix.flat(), sum.flat()));
          CHECK(matrix.padding_untouched());
        }
      }
    }
  }

  TEST_CASE("one that fails, at any exchange, releases the others; its failure is what is thrown") {
    ShardTeam team(4);
    for (std::size_t culprit = 0; culprit < 4; ++culprit) {
      for (int at = 0; at < 5; ++at) {
        std::string message;
        try {
          team.run([&](std::size_t rank) {
            for (int k = 0; k < 5; ++k) {
              if (rank == culprit && k == at) {
                throw Error(ErrorCode::numerical, "shard " + std::to_string(rank));
              }
              team.communicator(rank).sum(1);
            }
          });
        } catch (const Error& error) {
          message = error.what();
        }
        CHECK(message == "shard " + std::to_string(culprit));
        team.run([&](std::size_t rank) { CHECK(team.communicator(rank).sum(1) == 4); });
      }
    }
  }

  TEST_CASE("of several failures that of the lowest rank; cancellation is one") {
    ShardTeam team(3);
    CHECK_THROWS_AS(team.run([&](std::size_t rank) {
      if (rank == 1) throw Cancelled{};
      if (rank == 2) throw Error(ErrorCode::out_of_memory, "");
      team.communicator(rank).sum(1);
    }),
                    Cancelled);
    CHECK_THROWS_AS(team.run([&](std::size_t rank) {
      std::this_thread::sleep_for(std::chrono::milliseconds(3 - rank));
      if (rank > 0) throw std::bad_alloc();
      throw Error(ErrorCode::numerical, "");
    }),
                    Error);
  }

  TEST_CASE("shards that do not make the same exchanges are told so instead of waiting") {
    ShardTeam team(3);
    try {
      team.run([&](std::size_t rank) {
        team.communicator(rank).sum(1);
        if (rank != 1) team.communicator(rank).sum(1);
      });
      FAIL("returned");
    } catch (const Error& error) {
      CHECK(error.code == ErrorCode::internal);
    }
  }

  TEST_CASE("many runs with many exchanges, of shards in no hurry") {
    ShardTeam team(3);
    for (int run = 0; run < 200; ++run) {
      double last = 0;
      team.run([&](std::size_t rank) {
        double value = static_cast<double>(rank);
        for (int k = 0; k < 20; ++k) {
          if ((run + k + static_cast<int>(rank)) % 17 == 0) std::this_thread::yield();
          value = team.communicator(rank).sum(value) / 3;
        }
        if (rank == 2) last = value;
      });
      CHECK(last == doctest::Approx(1));
    }
  }

  TEST_CASE("a solver in one piece runs on the caller's thread and holds nothing") {
    ShardTeam team(1);
    const auto caller = std::this_thread::get_id();
    team.run([&](std::size_t) { CHECK(std::this_thread::get_id() == caller); });
    CHECK(ShardTeam::bytes(1) == 0);
    CHECK(ShardTeam::bytes(2) > 0);
    for (Communicator shards : {team.communicator(0), Communicator()}) {
      CHECK(shards.size() == 1);
      std::vector<double> values{1, 2};
      shards.sum(values);
      CHECK(values == std::vector<double>{1, 2});
      CHECK(shards.sum(3) == 3);
    }
  }
}
