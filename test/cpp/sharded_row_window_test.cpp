// A window cut into shards: what every window must do, whatever the cut.
#include "algebra/sharded_row_window.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

#include "row_window_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

MakeRowWindow sharded(std::size_t shards, const MakeRowWindow& make = cpu_rows()) {
  return [shards, make](RowWindowShape shape) -> std::unique_ptr<RowWindow> {
    return std::make_unique<ShardedRowWindow>(
        std::move(shape), shards,
        [&](std::size_t, RowWindowShape part) { return make(std::move(part)); });
  };
}

}  // namespace

TEST_SUITE("sharded row window") {
  TEST_CASE("what every window does, in 1 to 5 shards, also of fewer blocks than shards") {
    for (const std::size_t shards : {1U, 2U, 5U}) {
      CAPTURE(shards);
      check_row_window(sharded(shards));
    }
    check_shapes(sharded(3));
    check_same_as_cpu(sharded(3), 5100);
    check_threads_and_slices(sharded(3), 20'000, 3457);
  }

  TEST_CASE("shards have whole blocks, nearly as many each; their positions are all there are") {
    std::vector<RowWindowShape> parts;
    const auto note = [&](std::size_t index, RowWindowShape part) {
      CHECK(index == parts.size());
      parts.push_back(part);
      return cpu_rows()(std::move(part));
    };
    const ShardedRowWindow plain({4, 9000, Storage::int8, {}, 70}, 4, note);
    REQUIRE(plain.shards() == 4);
    const std::size_t columns[] = {3072, 2048, 2048, 1832}, first[] = {70, 3142, 5190, 7238};
    for (std::size_t s = 0; s < 4; ++s) {
      CHECK(parts[s].columns() == columns[s]);
      CHECK(parts[s].dimension == columns[s]);
      CHECK(parts[s].first_position == first[s]);
    }
    parts.clear();
    const auto active = every_third(9000);
    const ShardedRowWindow masked({4, 9000, Storage::int8, active}, 2, note);
    REQUIRE(masked.shards() == 2);
    CHECK(parts[0].columns() == 2048);
    CHECK(parts[1].columns() == active.size() - 2048);
    CHECK(parts[0].dimension == active[2048]);
    CHECK(parts[0].dimension + parts[1].dimension == 9000);
    CHECK(parts[1].active[0] == 0);
  }

  TEST_CASE("rows of a sharded window go on in a whole one, and back") {
    for (const Storage storage : storages) {
      CAPTURE(std::string(name(storage)));
      const Filled whole(cpu_rows(), {5, 4500, storage, {}}, 5);
      const auto other = sharded(3)({5, 4500, storage, {}});
      for (std::size_t i = 0; i < 5; ++i) other->import_row(i, whole.bytes(i));
      std::vector<std::byte> bytes(other->row_bytes());
      other->export_row(2, bytes);
      CHECK(bytes == whole.bytes(2));
    }
  }

  TEST_CASE("the first shard's failure is what is thrown, after all shards are done") {
    const auto window = sharded(3)({2, 6000, Storage::float32, {}});
    std::vector<float> g(6000, 1);
    g[2500] = g[5900] = std::nanf("");
    std::string message;
    try {
      window->propose(host(g), 0);
    } catch (const Error& error) {
      message = error.what();
    }
    CHECK(message.find("entry 2500 is nan") != std::string::npos);
    g[2500] = g[5900] = 2;
    window->propose(host(g), 0);
    CHECK(window->candidate_products({}) == doctest::Approx(6000 + 6));
  }

  TEST_CASE("a shard that can't be made leaves nothing behind") {
    std::atomic<int> made = 0;
    CHECK_THROWS_AS(ShardedRowWindow({2, 6000, Storage::float32, {}}, 3,
                                     [&](std::size_t index, RowWindowShape part) {
                                       if (index == 2) throw Error(ErrorCode::out_of_memory, "");
                                       ++made;
                                       return cpu_rows()(std::move(part));
                                     }),
                    Error);
    CHECK(made == 2);
  }
}
