// A window of long rows: the gradients G (rows × columns) that M-FAC works with. Two passes read
// all of it, G·x and Gᵀ·c; everything else touches one row.
//
// Vectors that go in and come out are host memory, whatever the device; rows stay on the device, in
// a layout that nobody else knows. Sums are accumulated in float64 (int8 rows: in exact integers).
// The work is cut by shape alone, so that any number of threads gives the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "base/enum_names.hpp"

namespace secondorder {

class RunControl;

/// How the elements of a row are kept. float16 and int8 have a scale for each block of columns of a
/// row; the largest element of a block takes the whole range, so nothing overflows. bfloat16 rounds
/// what is beyond its largest number to that number.
enum class Storage { float32, bfloat16, float16, int8 };

template <>
struct EnumNames<Storage> {
  static constexpr Named<Storage> table[] = {{"float32", Storage::float32},
                                             {"bfloat16", Storage::bfloat16},
                                             {"float16", Storage::float16},
                                             {"int8", Storage::int8}};
};

/// Bytes of a stored element.
constexpr std::size_t element_bytes(Storage storage) {
  if (storage == Storage::float32) return 4;
  return storage == Storage::int8 ? 1 : 2;
}

/// A vector in host memory, in either precision.
using HostVector = std::variant<std::span<const float>, std::span<const double>>;

inline std::size_t size(const HostVector& x) {
  return std::visit([](const auto& values) { return values.size(); }, x);
}

struct RowWindowShape {
  std::size_t rows = 0;
  /// Length of the vectors that go in and come out.
  std::size_t dimension = 0;
  Storage storage = Storage::float32;
  /// Ascending positions that are kept: the columns of the window. Empty: all of them.
  std::vector<std::uint32_t> active;
  /// Of a part of a wider window: where in its vectors this one's begin. For messages alone.
  std::size_t first_position = 0;

  std::size_t columns() const { return active.empty() ? dimension : active.size(); }
  /// Columns that come before a position of the vectors.
  std::size_t columns_before(std::size_t position) const {
    if (active.empty()) return position;
    return static_cast<std::size_t>(std::lower_bound(active.begin(), active.end(), position) -
                                    active.begin());
  }
};

/// out = x_factor·x + Gᵀ·coefficients + candidate_factor·candidate, rounded to float32.
struct Combination {
  std::span<const double> coefficients;  ///< of rows 0, 1, …
  double candidate_factor = 0;
  double x_factor = 0;
  HostVector x;          ///< `dimension` long; not read where x_factor is 0
  std::span<float> out;  ///< `dimension` long; positions without a column get 0
};

class RowWindow {
 public:
  virtual ~RowWindow() = default;

  virtual const RowWindowShape& shape() const = 0;

  /// Threads for the operations to come; they throw Cancelled once `control` is cancelled. Null:
  /// nobody cancels from now on.
  virtual void watch(const RunControl* control) = 0;

  // --- the candidate: a row that waits outside the window until it is accepted
  // --------------------
  /// Rounds g into the candidate and multiplies it with rows [0, used). Throws
  /// ERR_INVALID_ARGUMENT with the first position that is not a finite float32 number.
  virtual void propose(const HostVector& g, std::size_t used) = 0;
  /// The same piece by piece, in any order: g at positions [offset, offset + size). What is
  /// multiplied so far is what has arrived in whole. Pieces must not overlap.
  virtual void propose_part(std::size_t offset, const HostVector& part, std::size_t used) = 0;
  /// products[i] = row i · candidate; returns candidate · candidate.
  virtual double candidate_products(std::span<double> products) = 0;
  /// The candidate becomes row `slot`; it can't fail, and isn't cancelled.
  virtual void accept(std::size_t slot) noexcept = 0;
  /// Forgets the parts of a candidate.
  virtual void discard() noexcept = 0;

  // --- the two passes, each for several vectors
  // ---------------------------------------------------
  /// y (vectors × used) = rows [0, used) · x
  virtual void products(std::span<const HostVector> x, std::size_t used, std::span<double> y) = 0;
  /// Throws ERR_NUMERICAL where a result is beyond float32; what was to be written is undefined
  /// then.
  virtual void combine(std::span<const Combination> combinations) = 0;

  // --- rows as values, and as bytes that any device reads the same
  // --------------------------------
  /// The values as stored, `columns` of them.
  virtual void read_row(std::size_t slot, std::span<double> values) const = 0;
  virtual std::size_t row_bytes() const = 0;
  virtual void export_row(std::size_t slot, std::span<std::byte> bytes) const = 0;
  virtual void import_row(std::size_t slot, std::span<const std::byte> bytes) = 0;

  /// Bytes of the rows themselves, and of all that the window holds.
  virtual std::size_t window_bytes() const = 0;
  virtual std::size_t bytes() const = 0;
};

/// Where a window's rows are to be: throws ERR_OUT_OF_MEMORY where that place hasn't the room, and
/// makes nothing where they are to be on the CPU.
using MakeRowWindow = std::function<std::unique_ptr<RowWindow>(RowWindowShape)>;

}  // namespace secondorder
