// The rows of G: gradients of a model, held once, added row after row and read in rectangles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "mfac/gradient_store_pages.hpp"

namespace secondorder::mfac {

/// How gradients are kept. `automatic` keeps float32, in memory as long as there is some, then on
/// disk; where the number of rows is known, in bfloat16 before on disk.
enum class GradientStorage { automatic, float32, bfloat16, disk };

/// The nearest bfloat16, ties to even; finite values stay finite.
std::uint16_t to_bfloat16(float value);
float from_bfloat16(std::uint16_t value);

class GradientStore {
 public:
  /// `directory`: where files go; temporary_directory() when empty. `expected` rows are to come in
  /// all, 0 where nobody knows.
  GradientStore(std::size_t dimension, GradientStorage storage, std::string directory,
                std::size_t expected);

  /// Bytes of a row in this storage.
  static std::size_t row_bytes(std::size_t dimension, GradientStorage storage);

  /// Copies rows in (rows × dimension). Gives rows.size(), or the first position of a number that
  /// is not finite, with nothing added. Throws ERR_OUT_OF_MEMORY, with nothing added, where they
  /// find no room.
  std::size_t append(std::span<const float> rows);
  /// Forgets all rows, and keeps the room for the next.
  void clear() { rows_ = 0; }
  void release();

  std::size_t rows() const { return rows_; }
  std::size_t dimension() const { return dimension_; }
  /// out(i·stride + j) = G(first_row + i, first_column + j)
  void read(std::size_t first_row, std::size_t rows, std::size_t first_column, std::size_t columns,
            double* out, std::size_t stride) const;

  /// Memory, files not counted.
  std::size_t bytes() const;
  std::size_t disk_bytes() const;
  GradientStorage storage() const { return storage_; }

 private:
  struct Slab {
    Pages pages;
    std::size_t first_row, rows;
    bool disk;
  };

  void grow(std::size_t rows);
  /// Entries [begin, end) of rows that come after those there are.
  void write(std::span<const float> rows, std::size_t begin, std::size_t end);
  Pages make_pages(std::size_t bytes, bool& disk) const;
  const Slab& slab_of(std::size_t row) const;

  std::size_t dimension_;
  GradientStorage storage_;
  std::string directory_;
  std::size_t expected_;
  std::size_t row_bytes_;
  std::size_t rows_ = 0;
  std::size_t capacity_ = 0;
  std::vector<Slab> slabs_;
};

}  // namespace secondorder::mfac

namespace secondorder {

template <>
struct EnumNames<mfac::GradientStorage> {
  static constexpr Named<mfac::GradientStorage> table[] = {
      {"auto", mfac::GradientStorage::automatic},
      {"float32", mfac::GradientStorage::float32},
      {"bfloat16", mfac::GradientStorage::bfloat16},
      {"disk", mfac::GradientStorage::disk}};
};

}  // namespace secondorder
