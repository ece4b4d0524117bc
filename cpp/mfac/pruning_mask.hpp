// Which weights go: those of the lowest scores, over all, by layer, or n of every m to stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace secondorder::mfac {

/// N:M sparsity: of every `group` consecutive weights of a layer, `keep` may be non-zero. Of a
/// shorter last group of r weights it is ⌈keep·r/group⌉.
struct SparsityPattern {
  std::size_t keep = 0;
  std::size_t group = 0;
};

struct PruningRequest {
  /// What each weight is worth; NaN is refused, infinities are not.
  std::span<const double> scores;
  /// The part of the weights to go, 0 … 1, of n prunable weights round(n·sparsity), halves up: over
  /// all, or of each layer where there are layers. With a pattern, the lowest of those that it lets
  /// go, up to that number.
  double sparsity = 0;
  /// Lengths of the layers, one after the other; one layer where empty.
  std::span<const std::int32_t> layers;
  std::optional<SparsityPattern> pattern;
  /// Other than 0 where a weight has gone already: it goes first, and counts. Empty: none has.
  std::span<const std::uint8_t> frozen;
  /// 0 where a weight stays, and is none of those that `sparsity` is a part of, unless it is
  /// frozen. A pattern's groups stand where they are all the same. Empty: all may go.
  std::span<const std::uint8_t> prunable;
};

/// The indices to go, ascending, those already gone included. Of equal scores the first goes first.
/// Throws ERR_INVALID_ARGUMENT and ERR_DIMENSION_MISMATCH, by the names of the request's fields.
std::vector<std::uint32_t> choose_removed(const PruningRequest& request);

}  // namespace secondorder::mfac
