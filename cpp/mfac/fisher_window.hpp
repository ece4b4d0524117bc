// The dynamic algorithm of M-FAC (arXiv 2107.03356): H⁻¹·x for H = λI + (1/N) Σ gᵢgᵢᵀ over a
// sliding window of gradients gᵢ, the rows of G.
//
// All of it follows from K = GGᵀ and the factor of A = NλI + K, which are k × k and float64:
//   any x:                     H⁻¹x = λ⁻¹(x − GᵀA⁻¹Gx)
//   the gradient just pushed:  H⁻¹gⱼ = N·GᵀA⁻¹eⱼ, in which nothing cancels.
// The products G·g that the second one starts from are also the new row of K, so that a step reads
// G twice and no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "algebra/row_window.hpp"
#include "base/enum_names.hpp"
#include "base/run_control.hpp"
#include "device/choice.hpp"
#include "mfac/slice_coverage.hpp"
#include "mfac/sliding_factor.hpp"

namespace secondorder::mfac {

/// N: the gradients there are, or as many as there is room for.
enum class Normalize { count, capacity };

struct FisherWindowOptions {
  std::size_t dimension = 0;  ///< d, length of a gradient
  std::size_t capacity = 0;   ///< m, the most gradients held
  double damping = 0;         ///< λ
  Storage storage = Storage::float32;
  Normalize normalize = Normalize::count;
  /// Ascending positions that take part; empty: all. The others are ignored in what comes in, and 0
  /// in what goes out.
  std::vector<std::uint32_t> active;
};

/// The positions where a mask isn't 0; none where it has no 0, which stands for all. Throws
/// ERR_INVALID_ARGUMENT for a mask of nothing but 0.
std::vector<std::uint32_t> active_positions(std::span<const std::uint8_t> mask);

/// An operation that throws leaves the window as it was; one that is cancelled throws Cancelled.
class FisherWindow {
 public:
  /// Throws ERR_INVALID_ARGUMENT, and ERR_OUT_OF_MEMORY where the machine hasn't the bytes. The
  /// gradients are kept where `make_rows` has them; empty, or where it makes nothing: on the CPU.
  explicit FisherWindow(FisherWindowOptions options, const MakeRowWindow& make_rows = {});

  const FisherWindowOptions& options() const { return options_; }
  std::size_t columns() const { return rows_->shape().columns(); }
  std::size_t size() const { return size_; }
  double damping() const { return options_.damping; }
  bool pending() const { return !slices_.empty(); }
  /// Bytes of the gradients alone, and of all that the window holds.
  std::size_t window_bytes() const { return rows_->window_bytes(); }
  std::size_t bytes() const;

  /// Adds a gradient (the oldest one leaves a full window), and writes H⁻¹·gradient to `solution`
  /// unless that is empty: of the gradient as it was rounded to be stored.
  void push(const HostVector& gradient, std::span<float> solution, const RunControl& control);

  /// A gradient in slices, in any order, so that its products are done when the last one arrives.
  void push_slice(std::size_t offset, const HostVector& part);
  void commit(std::span<float> solution, const RunControl& control);
  void discard_slices() noexcept;

  /// out (x.size() × dimension) = H⁻¹·x for each x.
  void solve(std::span<const HostVector> x, std::span<float> out, const RunControl& control);

  /// The next solution factors A anew, O(k³).
  void set_damping(double damping);
  void clear() noexcept;

  /// Everything, bit by bit; slices must have been committed. A file that is there is replaced
  /// once the new one is complete.
  void save(const std::string& path, const RunControl& control) const;
  static std::unique_ptr<FisherWindow> load(const std::string& path, const RunControl& control,
                                            const MakeRowWindow& make_rows = {});

  /// Where the gradients are kept, as whoever made the rows says it.
  const DeviceChoice& device() const { return device_; }
  void set_device(DeviceChoice device) { device_ = std::move(device); }

  /// K(i, j), the oldest gradient first; and the factor, which may have to be made. For tests.
  double gram(std::size_t i, std::size_t j) const { return gram_[at(slot(i), slot(j))]; }
  const SlidingFactor& factor();
  const RowWindow& rows() const { return *rows_; }
  /// Where the i-th oldest gradient is.
  std::size_t slot(std::size_t i) const { return (oldest_ + i) % options_.capacity; }

 private:
  std::size_t at(std::size_t i, std::size_t j) const { return i * options_.capacity + j; }
  bool full() const { return size_ == options_.capacity; }
  /// N of a window of this size.
  double normalizer(std::size_t size) const;
  /// N·λ, what A has on its diagonal besides K.
  double shift(std::size_t size) const { return normalizer(size) * options_.damping; }
  void refuse_pending() const;
  /// The step from the candidate's products on.
  void take_candidate(std::span<float> solution);
  bool propose_factor(std::span<const double> row, bool needed);
  void solve_candidate(std::size_t next_size, std::span<float> solution);
  void ensure_factor();

  FisherWindowOptions options_;
  std::unique_ptr<RowWindow> rows_;
  std::vector<double> gram_;  ///< K by slots, capacity × capacity
  SlidingFactor factor_;
  bool factored_ = true;    ///< the factor is that of the gradients there are
  std::size_t size_ = 0;    ///< k
  std::size_t oldest_ = 0;  ///< slot of the oldest gradient; the newest are in the slots before it
  SliceCoverage slices_;
  DeviceChoice device_;
};

}  // namespace secondorder::mfac

namespace secondorder {

template <>
struct EnumNames<mfac::Normalize> {
  static constexpr Named<mfac::Normalize> table[] = {{"count", mfac::Normalize::count},
                                                     {"capacity", mfac::Normalize::capacity}};
};

}  // namespace secondorder
