#include "mfac/pruning_mask.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "algebra/cpu/tiling.hpp"
#include "base/error.hpp"

namespace secondorder::mfac {

namespace {

void check(const PruningRequest& request) {
  const std::size_t count = request.scores.size();
  if (count > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorCode::invalid_argument, "scores has more entries than indices can tell apart",
                "scores");
  }
  const auto bad = std::find_if(request.scores.begin(), request.scores.end(),
                                [](double score) { return std::isnan(score); });
  if (bad != request.scores.end()) {
    throw Error(ErrorCode::invalid_argument,
                "scores[" + std::to_string(bad - request.scores.begin()) + "] is NaN", "scores");
  }
  if (!(request.sparsity >= 0 && request.sparsity <= 1)) {
    throw Error(ErrorCode::invalid_argument, "sparsity must be from 0 to 1", "sparsity");
  }
  for (const auto& [flags, name] :
       {std::pair(request.frozen, "frozen"), std::pair(request.prunable, "prunable")}) {
    if (flags.empty() || flags.size() == count) continue;
    throw Error(ErrorCode::dimension_mismatch,
                std::string(name) + " must have " + std::to_string(count) + " entries, got " +
                    std::to_string(flags.size()),
                name);
  }
  std::size_t sum = 0;
  for (const std::int32_t length : request.layers) {
    if (length < 0) {
      throw Error(ErrorCode::invalid_argument, "layers must be lengths of at least 0", "layers");
    }
    sum += static_cast<std::size_t>(length);
  }
  if (!request.layers.empty() && sum != count) {
    throw Error(ErrorCode::dimension_mismatch,
                "layers must add up to the " + std::to_string(count) + " scores, not to " +
                    std::to_string(sum),
                "layers");
  }
  if (request.pattern &&
      (request.pattern->group == 0 || request.pattern->keep > request.pattern->group)) {
    throw Error(ErrorCode::invalid_argument,
                "pattern must be [n, m] with m of at least 1 and n of at most m", "pattern");
  }
}

class Selection {
 public:
  explicit Selection(const PruningRequest& request)
      : request_(request), gone_(request.scores.size(), 0) {
    for (std::size_t i = 0; i < request.frozen.size(); ++i) gone_[i] = request.frozen[i] != 0;
  }

  bool prunable(std::size_t i) const {
    return request_.prunable.empty() || request_.prunable[i] != 0;
  }

  /// How many of [first, last) are to go.
  std::size_t target(std::size_t first, std::size_t last) const {
    std::size_t count = 0;
    for (std::size_t i = first; i < last; ++i) count += gone_[i] != 0 || prunable(i) ? 1 : 0;
    return static_cast<std::size_t>(std::round(static_cast<double>(count) * request_.sparsity));
  }

  /// Of [first, last) the lowest go, among those that `may_go` holds, until `wanted` have gone.
  template <class MayGo>
  void take_lowest(std::size_t first, std::size_t last, std::size_t wanted, const MayGo& may_go) {
    std::size_t count = 0;
    values_.clear();
    for (std::size_t i = first; i < last; ++i) {
      if (gone_[i] != 0) {
        ++count;
      } else if (may_go(i)) {
        values_.push_back(request_.scores[i]);
      }
    }
    if (count >= wanted || values_.empty()) return;
    const std::size_t take = std::min(wanted - count, values_.size());
    const auto nth = values_.begin() + static_cast<std::ptrdiff_t>(take - 1);
    std::nth_element(values_.begin(), nth, values_.end());
    const double threshold = *nth;
    // Left of nth is all that is below the threshold; the rest of it are ties, first come first.
    const auto below = std::count_if(values_.begin(), nth, [&](double v) { return v < threshold; });
    std::size_t ties = take - static_cast<std::size_t>(below);
    for (std::size_t i = first; i < last; ++i) {
      if (gone_[i] != 0 || !may_go(i)) continue;
      const double score = request_.scores[i];
      if (score < threshold) {
        gone_[i] = 1;
      } else if (score == threshold && ties > 0) {
        gone_[i] = 1;
        --ties;
      }
    }
  }

  std::vector<std::uint32_t> indices() const {
    std::vector<std::uint32_t> out;
    out.reserve(static_cast<std::size_t>(std::count(gone_.begin(), gone_.end(), 1)));
    for (std::size_t i = 0; i < gone_.size(); ++i) {
      if (gone_[i] != 0) out.push_back(static_cast<std::uint32_t>(i));
    }
    return out;
  }
  std::vector<std::uint8_t>& gone() { return gone_; }

 private:
  const PruningRequest& request_;
  std::vector<std::uint8_t> gone_;
  std::vector<double> values_;
};

/// What the pattern lets go, group by group.
std::vector<std::uint8_t> candidates(const PruningRequest& request,
                                     std::span<const std::pair<std::size_t, std::size_t>> layers,
                                     const SparsityPattern& pattern) {
  Selection selection(request);
  const auto prunable = [&](std::size_t i) { return selection.prunable(i); };
  for (const auto& [begin, end] : layers) {
    for (std::size_t first = begin; first < end; first += pattern.group) {
      const std::size_t last = first + std::min(pattern.group, end - first), length = last - first;
      const std::size_t keep = divide_up(pattern.keep * length, pattern.group);
      selection.take_lowest(first, last, length - keep, prunable);
    }
  }
  return std::move(selection.gone());
}

}  // namespace

std::vector<std::uint32_t> choose_removed(const PruningRequest& request) {
  check(request);
  const std::size_t count = request.scores.size();
  std::vector<std::pair<std::size_t, std::size_t>> layers;
  std::size_t begin = 0;
  for (const std::int32_t length : request.layers) {
    layers.emplace_back(begin, begin + static_cast<std::size_t>(length));
    begin = layers.back().second;
  }
  if (layers.empty()) layers.emplace_back(0, count);
  Selection selection(request);
  std::vector<std::uint8_t> among;
  if (request.pattern) among = candidates(request, layers, *request.pattern);
  for (const auto& [first, last] : layers) {
    selection.take_lowest(first, last, selection.target(first, last), [&](std::size_t i) {
      return request.pattern ? among[i] != 0 : selection.prunable(i);
    });
  }
  return selection.indices();
}

}  // namespace secondorder::mfac
