// Which positions of a vector have arrived, slice by slice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace secondorder::mfac {

class SliceCoverage {
 public:
  bool empty() const { return slices_.empty(); }
  void clear() noexcept { slices_.clear(); }

  bool overlaps(std::size_t offset, std::size_t length) const {
    const auto next = after(offset);
    if (next != slices_.end() && next->begin < offset + length) return true;
    return next != slices_.begin() && std::prev(next)->end > offset;
  }
  /// Adds a slice that overlaps no other.
  void add(std::size_t offset, std::size_t length) {
    auto next = slices_.insert(after(offset), {offset, offset + length});
    if (std::next(next) != slices_.end() && std::next(next)->begin == next->end) {
      next->end = std::next(next)->end;
      slices_.erase(std::next(next));
    }
    if (next != slices_.begin() && std::prev(next)->end == next->begin) {
      std::prev(next)->end = next->end;
      slices_.erase(next);
    }
  }
  /// The first position that has not arrived.
  std::size_t first_missing() const {
    return slices_.empty() || slices_.front().begin > 0 ? 0 : slices_.front().end;
  }

 private:
  struct Slice {
    std::size_t begin, end;
  };
  std::vector<Slice>::const_iterator after(std::size_t offset) const {
    return std::upper_bound(slices_.begin(), slices_.end(), offset,
                            [](std::size_t at, const Slice& slice) { return at < slice.begin; });
  }

  std::vector<Slice> slices_;  ///< by position, none touching the next
};

}  // namespace secondorder::mfac
