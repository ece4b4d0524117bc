// Which weights go, against a plain sort.
#include "mfac/pruning_mask.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "base/error.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::mfac;
using namespace secondorder::test;

namespace {

/// The `count` lowest of [first, last) by (not frozen, score, index).
void take(const PruningRequest& r, std::size_t first, std::size_t last, std::size_t count,
          std::vector<bool>& gone) {
  std::vector<std::size_t> order(last - first);
  std::iota(order.begin(), order.end(), first);
  const auto kept = [&](std::size_t i) { return r.frozen.empty() || r.frozen[i] == 0; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return kept(a) != kept(b) ? kept(b) : kept(a) && r.scores[a] < r.scores[b];
  });
  for (std::size_t k = 0; k < order.size(); ++k) {
    if (k < count || !kept(order[k])) gone[order[k]] = true;
  }
}

std::vector<std::uint32_t> indices(const std::vector<bool>& gone) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < gone.size(); ++i) {
    if (gone[i]) out.push_back(i);
  }
  return out;
}

std::vector<std::uint32_t> sorted_choice(const PruningRequest& r) {
  std::vector<bool> gone(r.scores.size());
  std::vector<std::int32_t> layers(r.layers.begin(), r.layers.end());
  if (layers.empty()) layers.push_back(static_cast<std::int32_t>(r.scores.size()));
  std::size_t first = 0;
  for (const std::int32_t length : layers) {
    const auto count = static_cast<std::size_t>(std::floor(length * r.sparsity + 0.5));
    take(r, first, first + static_cast<std::size_t>(length), count, gone);
    first += static_cast<std::size_t>(length);
  }
  return indices(gone);
}

/// Weight by weight: the lowest goes that its group and its layer still let go.
std::vector<std::uint32_t> chosen_by_hand(const PruningRequest& r) {
  const std::size_t count = r.scores.size();
  std::vector<bool> gone(count);
  const auto frozen = [&](std::size_t i) { return !r.frozen.empty() && r.frozen[i] != 0; };
  std::vector<std::int32_t> layers(r.layers.begin(), r.layers.end());
  if (layers.empty()) layers.push_back(static_cast<std::int32_t>(count));
  std::size_t first = 0;
  for (const std::int32_t length : layers) {
    const std::size_t last = first + static_cast<std::size_t>(length);
    std::vector<std::size_t> order;
    for (std::size_t i = first; i < last; ++i) {
      if (r.prunable.empty() || r.prunable[i] != 0) order.push_back(i);
    }
    const double share = static_cast<double>(order.size()) * r.sparsity;
    const auto most = static_cast<std::size_t>(std::floor(share + 0.5));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return frozen(a) != frozen(b) ? frozen(a) : !frozen(a) && r.scores[a] < r.scores[b];
    });
    std::size_t taken = 0;
    std::vector<std::size_t> of_group(count);
    for (const std::size_t i : order) {
      const std::size_t size = r.pattern ? r.pattern->group : 1, group = (i - first) / size;
      const std::size_t members = std::min(size, last - first - group * size);
      const std::size_t keep = r.pattern ? (r.pattern->keep * members + size - 1) / size : 0;
      if (!frozen(i) && (taken == most || of_group[group] >= members - keep)) continue;
      gone[i] = true;
      ++of_group[group];
      if (taken < most) ++taken;
    }
    first = last;
  }
  return indices(gone);
}

ErrorCode code_of(const PruningRequest& request) {
  try {
    choose_removed(request);
  } catch (const Error& error) {
    return error.code;
  }
  return ErrorCode::internal;
}

}  // namespace

TEST_SUITE("pruning mask") {
  TEST_CASE("global and by layer, with ties and frozen weights") {
    Random random(31);
    for (int round = 0; round < 300; ++round) {
      const std::size_t count = random.below(200);
      std::vector<double> scores(count);
      for (double& s : scores) {  // many ties
        s = round % 2 == 0 ? random.normal() : static_cast<double>(random.below(5));
        if (random.below(20) == 0) s = std::numeric_limits<double>::infinity();
      }
      std::vector<std::uint8_t> frozen(count);
      for (auto& f : frozen) f = random.below(4) == 0 ? 1 : 0;
      std::vector<std::int32_t> layers;
      for (std::size_t left = count; left > 0;) {
        const std::size_t length = std::min(left, random.below(60));
        layers.push_back(static_cast<std::int32_t>(length));
        left -= length;
      }
      PruningRequest request;
      request.scores = scores;
      for (const double sparsity : {0.0, 0.1, 0.5, random.uniform(), 0.95, 1.0}) {
        request.sparsity = sparsity;
        for (const bool some_frozen : {false, true}) {
          for (const bool by_layer : {false, true}) {
            request.frozen = some_frozen ? std::span<const std::uint8_t>(frozen)
                                         : std::span<const std::uint8_t>();
            request.layers =
                by_layer ? std::span<const std::int32_t>(layers) : std::span<const std::int32_t>();
            CHECK(choose_removed(request) == sorted_choice(request));
          }
        }
      }
    }
  }

  TEST_CASE("patterns, layers, weights that stay and frozen ones together") {
    Random random(33);
    for (int round = 0; round < 300; ++round) {
      const std::size_t count = 1 + random.below(120);
      std::vector<double> scores(count);
      std::vector<std::uint8_t> frozen(count), prunable(count);
      for (std::size_t i = 0; i < count;
           ++i) {  // infinite ones too, which go before those that stay
        scores[i] = random.below(5) == 0 ? std::numeric_limits<double>::infinity()
                                         : static_cast<double>(random.below(9));
        prunable[i] = random.below(3) == 0 ? 0 : 1;
        frozen[i] = prunable[i] == 1 && random.below(5) == 0 ? 1 : 0;
      }
      std::vector<std::int32_t> layers;
      for (std::size_t left = count; left > 0; left -= static_cast<std::size_t>(layers.back())) {
        layers.push_back(static_cast<std::int32_t>(std::min(left, 1 + random.below(40))));
      }
      PruningRequest request;
      request.scores = scores;
      if (round % 2 == 0) request.layers = layers;
      if (round % 3 != 0) request.frozen = frozen;
      if (round % 5 != 0) request.prunable = prunable;
      if (round % 7 != 0) request.pattern = SparsityPattern{1 + random.below(3), 4};
      for (const double sparsity : {0.0, 0.2, 0.25, random.uniform(), 0.75, 1.0}) {
        request.sparsity = sparsity;
        CHECK(choose_removed(request) == chosen_by_hand(request));
      }
    }
  }

  TEST_CASE("below the pattern's share each layer has its own") {
    const std::vector<double> scores = {1, 1, 1, 1, 9, 9, 9, 9};
    const std::vector<std::int32_t> layers = {4, 4};
    PruningRequest request;
    request.scores = scores;
    request.sparsity = 0.25;
    request.pattern = SparsityPattern{2, 4};
    CHECK(choose_removed(request) == std::vector<std::uint32_t>{0, 1});
    request.layers = layers;
    CHECK(choose_removed(request) == std::vector<std::uint32_t>{0, 4});
    const std::vector<std::uint8_t> prunable = {1, 1, 1, 1, 0, 0, 0, 0};
    request.prunable = prunable;
    CHECK(choose_removed(request) == std::vector<std::uint32_t>{0});
    request.layers = {};
    CHECK(choose_removed(request) == std::vector<std::uint32_t>{0});  // a quarter of four
  }

  TEST_CASE("counts: halves up, and exact") {
    std::vector<double> scores(10, 1.0);
    PruningRequest request;
    request.scores = scores;
    for (const auto& [sparsity, count] :
         {std::pair(0.25, 3U), std::pair(0.24, 2U), std::pair(0.95, 10U), std::pair(0.94, 9U)}) {
      request.sparsity = sparsity;
      std::vector<std::uint32_t> first(count);
      std::iota(first.begin(), first.end(), 0U);
      CHECK(choose_removed(request) == first);  // ties: the first go
    }
  }

  TEST_CASE("n of every m stay") {
    const std::vector<double> scores = {4, 1, 3, 2, /**/ 1, 1, 1, 1, /**/ 9, 8, 7};
    PruningRequest request;
    request.scores = scores;
    request.sparsity = 0.5;
    request.pattern = SparsityPattern{2, 4};
    // of the ragged group of 3, ⌈2·3/4⌉ = 2 stay
    CHECK(choose_removed(request) == std::vector<std::uint32_t>{1, 3, 4, 5, 10});
    // a frozen weight counts among those that go
    const std::vector<std::uint8_t> frozen = {1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0};
    request.frozen = frozen;
    CHECK(choose_removed(request) == std::vector<std::uint32_t>{0, 1, 4, 7, 8, 9});
    request.frozen = {};
    const std::vector<std::int32_t> layers = {3, 8};
    request.layers = layers;  // groups: 3, 4, 4
    CHECK(choose_removed(request) == std::vector<std::uint32_t>{1, 4, 5, 7, 10});
    // less than all that the pattern lets go: the lowest of those
    request.layers = {};
    request.sparsity = 0.2;
    CHECK(choose_removed(request) == std::vector<std::uint32_t>{1, 4});
    request.sparsity = 1;
    CHECK(choose_removed(request).size() == 5);
    request.pattern = SparsityPattern{0, 4};
    CHECK(choose_removed(request).size() == 11);
    request.pattern = SparsityPattern{4, 4};
    CHECK(choose_removed(request).empty());
  }

  TEST_CASE("every pattern keeps its promise, group by group") {
    Random random(32);
    for (const SparsityPattern pattern :
         {SparsityPattern{1, 2}, SparsityPattern{2, 4}, SparsityPattern{1, 4},
          SparsityPattern{4, 8}, SparsityPattern{1, 3}, SparsityPattern{5, 7}}) {
      std::vector<double> scores(501);
      for (double& s : scores) s = random.normal();
      PruningRequest request;
      request.scores = scores;
      request.pattern = pattern;
      request.sparsity = 1 - static_cast<double>(pattern.keep) / static_cast<double>(pattern.group);
      std::vector<bool> want(501);
      for (std::size_t first = 0; first < 501; first += pattern.group) {
        const std::size_t length = std::min(pattern.group, 501 - first);
        const std::size_t keep = (pattern.keep * length + pattern.group - 1) / pattern.group;
        take(request, first, first + length, length - keep, want);
      }
      CHECK(choose_removed(request) == indices(want));
    }
  }

  TEST_CASE("bad requests") {
    std::vector<double> scores = {1, 2, 3};
    PruningRequest request;
    request.scores = scores;
    for (const double sparsity : {-0.1, 1.1, std::nan("")}) {
      request.sparsity = sparsity;
      CHECK(code_of(request) == ErrorCode::invalid_argument);
    }
    request.sparsity = 0.5;
    scores[1] = std::nan("");
    CHECK(code_of(request) == ErrorCode::invalid_argument);
    scores[1] = 2;
    const std::vector<std::uint8_t> frozen = {1};
    request.frozen = frozen;
    CHECK(code_of(request) == ErrorCode::dimension_mismatch);
    request.frozen = {};
    request.prunable = frozen;
    CHECK(code_of(request) == ErrorCode::dimension_mismatch);
    request.prunable = {};
    const std::vector<std::int32_t> short_layers = {1, 1}, negative = {4, -1};
    request.layers = short_layers;
    CHECK(code_of(request) == ErrorCode::dimension_mismatch);
    request.layers = negative;
    CHECK(code_of(request) == ErrorCode::invalid_argument);
    request.layers = {};
    for (const SparsityPattern pattern : {SparsityPattern{3, 2}, SparsityPattern{0, 0}}) {
      request.pattern = pattern;
      CHECK(code_of(request) == ErrorCode::invalid_argument);
    }
  }
}
