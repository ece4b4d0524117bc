// The rows of G in every storage: what goes in comes out, rounded as promised.
#include "mfac/gradient_store.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::mfac;
using namespace secondorder::test;

namespace {

/// The nearest bfloat16 by search among its neighbours: ties to the even one.
float nearest_bfloat16(float value) {
  const auto cut = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
  const float below = from_bfloat16(cut),
              above = from_bfloat16(static_cast<std::uint16_t>(cut + 1));
  const double low = std::abs(static_cast<double>(value) - below);
  const double high = std::abs(static_cast<double>(above) - value);
  if (low < high || !std::isfinite(above)) return below;
  if (high < low) return above;
  return (cut & 1) == 0 ? below : above;
}

}  // namespace

TEST_SUITE("gradient store") {
  TEST_CASE("bfloat16 rounds to the nearest, ties to even, and stays finite") {
    Random random(1);
    for (int i = 0; i < 200000; ++i) {
      const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random.bits()));
      if (!std::isfinite(value)) continue;
      CHECK(from_bfloat16(to_bfloat16(value)) == nearest_bfloat16(value));
    }
    for (const float value : {0.0F, -0.0F, 1.0F, -2.5F, std::numeric_limits<float>::denorm_min()}) {
      CHECK(from_bfloat16(to_bfloat16(value)) == nearest_bfloat16(value));
    }
    const float most = std::numeric_limits<float>::max();
    CHECK(std::isfinite(from_bfloat16(to_bfloat16(most))));
    CHECK(from_bfloat16(to_bfloat16(-most)) == -from_bfloat16(to_bfloat16(most)));
    CHECK(std::bit_cast<std::uint32_t>(from_bfloat16(to_bfloat16(-0.0F))) == 0x80000000U);
    CHECK(to_bfloat16(from_bfloat16(0x3F80) + 0x1p-8F) == 0x3F80);  // a tie, 0x3F80 is even
    CHECK(to_bfloat16(from_bfloat16(0x3F81) + 0x1p-8F) == 0x3F82);  // a tie, 0x3F81 is odd
  }

  TEST_CASE("any rectangle of what was added, in any portions") {
    Random random(2);
    for (const GradientStorage storage : {GradientStorage::automatic, GradientStorage::float32,
                                          GradientStorage::bfloat16, GradientStorage::disk}) {
      for (const std::size_t expected : {0U, 10U, 57U, 100U}) {
        constexpr std::size_t d = 37, rows = 57;
        GradientStore store(d, storage, "", expected);
        std::vector<float> all;
        while (store.rows() < rows) {
          const std::size_t count = std::min<std::size_t>(1 + random.below(9), rows - store.rows());
          std::vector<float> part(count * d);
          for (float& value : part) value = static_cast<float>(random.normal());
          store.append(part);
          all.insert(all.end(), part.begin(), part.end());
        }
        CHECK(store.rows() == rows);
        for (int k = 0; k < 50; ++k) {
          const std::size_t row = random.below(rows), count = random.below(rows - row + 1);
          const std::size_t column = random.below(d), width = random.below(d - column + 1);
          std::vector<double> out(count * (width + 3) + 1, -7);
          store.read(row, count, column, width, out.data(), width + 3);
          bool same = true;
          for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < width + 3; ++j) {
              const float value = j < width ? all[(row + i) * d + column + j] : -7;
              const bool halves = storage == GradientStorage::bfloat16;
              same = same && out[i * (width + 3) + j] == (halves ? nearest_bfloat16(value) : value);
            }
          }
          CHECK(same);
        }
        CHECK((store.disk_bytes() > 0) == (storage == GradientStorage::disk));
        CHECK((store.bytes() > 0) == (storage != GradientStorage::disk));
      }
    }
  }

  TEST_CASE("an expected number of rows takes no more than it needs") {
    const std::vector<float> row(1000, 1.0F);
    for (const auto& [storage, size] :
         {std::pair(GradientStorage::float32, 4U), std::pair(GradientStorage::bfloat16, 2U)}) {
      GradientStore store(1000, storage, "", 300);
      for (int i = 0; i < 300; ++i) store.append(row);
      CHECK(store.bytes() == std::size_t{300} * 1000 * size);
    }
  }

  TEST_CASE("cleared it keeps its room, released it gives it back") {
    GradientStore store(10, GradientStorage::float32, "", 0);
    const std::vector<float> rows(50, 3.0F), others(50, 4.0F);
    store.append(rows);
    const std::size_t held = store.bytes();
    store.clear();
    CHECK(store.rows() == 0);
    store.append(others);
    CHECK(store.bytes() == held);
    double value = 0;
    store.read(4, 1, 9, 1, &value, 1);
    CHECK(value == 4);
    store.release();
    CHECK(store.bytes() == 0);
    store.append(rows);
    store.read(0, 1, 0, 1, &value, 1);
    CHECK(value == 3);
  }

  TEST_CASE("the first number that isn't finite is told, and nothing is added") {
    constexpr std::size_t dimension = 700'001, count = 5;  // taken in by several threads
    std::vector<float> rows(dimension * count);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i % 4093);
    for (const auto storage : {GradientStorage::float32, GradientStorage::bfloat16}) {
      GradientStore store(dimension, storage, "", 0);
      CHECK(store.append(rows) == rows.size());
      for (const std::size_t bad : {std::size_t{0}, std::size_t{1'050'000}, rows.size() - 1}) {
        std::vector<float> broken(rows);
        broken[bad] = std::numeric_limits<float>::quiet_NaN();
        broken.back() = std::numeric_limits<float>::infinity();
        CHECK(store.append(broken) == bad);
        CHECK(store.rows() == count);
      }
      CHECK(store.append(rows) == rows.size());
      std::vector<double> read(dimension);
      for (std::size_t row = 0; row < 2 * count; ++row) {
        store.read(row, 1, 0, dimension, read.data(), dimension);
        const float* given = rows.data() + row % count * dimension;
        const bool same =
            std::equal(read.begin(), read.end(), given, [&](double value, float expected) {
              return value == (storage == GradientStorage::bfloat16
                                   ? from_bfloat16(to_bfloat16(expected))
                                   : expected);
            });
        CHECK(same);
      }
    }
  }

  TEST_CASE("files have no name, and a bad directory is told") {
    const std::filesystem::path folder =
        std::filesystem::path(temporary_directory()) / "secondorder-gradient-store-test";
    std::filesystem::create_directories(folder);
    {
      GradientStore store(1000, GradientStorage::disk, folder.string(), 0);
      store.append(std::vector<float>(5000, 1.5F));
      CHECK(store.disk_bytes() >= 20000);
      CHECK(std::filesystem::is_empty(folder));
    }
    std::filesystem::remove_all(folder);
    GradientStore store(10, GradientStorage::disk, folder.string(), 0);
    try {
      store.append(std::vector<float>(10, 1.0F));
      FAIL("the directory is not there");
    } catch (const Error& error) {
      CHECK(error.code == ErrorCode::invalid_argument);
      CHECK(error.argument == "directory");
    }
    CHECK(store.rows() == 0);
  }

  TEST_CASE("more than there is: ERR_OUT_OF_MEMORY with what is needed and there, nothing added") {
    // The rows to come would take more than any machine has; the first of them asks for all.
    for (const GradientStorage storage : {GradientStorage::float32, GradientStorage::disk}) {
      const std::string directory = temporary_directory();
      const std::size_t huge = std::size_t{1} << 60;
      try {
        if (storage == GradientStorage::disk) {
          Pages::on_disk(huge, directory);
        } else {
          GradientStore store(huge / 4, storage, directory, 1);
          store.append(std::span<const float>(static_cast<const float*>(nullptr), huge / 4));
        }
        FAIL("there was room for an exbibyte");
      } catch (const Error& error) {
        CHECK(error.code == ErrorCode::out_of_memory);
        CHECK(std::string(error.what()).find(std::to_string(huge)) != std::string::npos);
      }
    }
  }
}
