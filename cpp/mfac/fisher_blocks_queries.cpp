// What FisherBlocks tells once it is factored.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "base/finite.hpp"
#include "mfac/fisher_blocks.hpp"
#include "mfac/fisher_blocks_teams.hpp"

namespace secondorder::mfac {

namespace {

void require_finite(bool finite, const std::string& what, const char* type = "float64") {
  if (finite) return;
  throw Error(ErrorCode::numerical,
              what + " beyond the range of " + type + ": damping is too small");
}

}  // namespace

void FisherBlocks::require_factored() const {
  if (factored()) return;
  throw Error(ErrorCode::not_fitted, "the blocks are not factored yet");
}

std::span<const double> FisherBlocks::diagonal() const {
  require_factored();
  require_finite(all_finite(diagonal_), "the diagonal has entries");
  return diagonal_;
}

double FisherBlocks::element(std::size_t i, std::size_t j, const RunControl& control) {
  require_factored();
  for (const auto& [index, name] : {std::pair(i, "i"), std::pair(j, "j")}) {
    if (index < shape_.dimension) continue;
    throw Error(ErrorCode::invalid_argument,
                std::string(name) + " must be below " + std::to_string(shape_.dimension) +
                    ", got " + std::to_string(index),
                name);
  }
  const auto checked = [](double value) {
    require_finite(std::isfinite(value), "the element is");
    return value;
  };
  if (i == j) return checked(diagonal_[i]);
  const std::size_t block = i / shape_.block_size;
  if (block != j / shape_.block_size) return 0;
  if (column_.empty() || (column_index_ != i && column_index_ != j)) {
    column_.clear();
    const std::size_t only[] = {block};
    for_blocks(only, control, [&](Team& team, std::size_t) {
      column_ = form_->represent(team, block, j - shape_.first(block));
    });
    column_index_ = j;
  }
  const std::size_t other = column_index_ == j ? i : j;
  return checked(form_->element(block, column_, other - shape_.first(block)));
}

template <class Real>
void FisherBlocks::solve(std::span<const Real> x, std::size_t count, std::span<Real> out,
                         const RunControl& control) {
  require_factored();
  const std::size_t d = shape_.dimension;
  if (count == 0 || x.size() != count * d) {
    throw Error(ErrorCode::dimension_mismatch,
                "x must have count × dimension = " + std::to_string(count) + " × " +
                    std::to_string(d) + " numbers, got " + std::to_string(x.size()),
                "x");
  }
  constexpr std::size_t right_sides = std::size_t{1} << 23;  // doubles of a block's at once
  const std::size_t at_once = std::clamp<std::size_t>(right_sides / shape_.block_size, 1, count);
  std::atomic<bool> finite = true;
  for (std::size_t begin = 0; begin < count; begin += at_once) {
    const std::size_t width = std::min(at_once, count - begin);
    for_blocks(control, [&](Team& team, std::size_t block) {
      const std::size_t first = shape_.first(block), size = shape_.size(block);
      const auto memory = std::make_unique_for_overwrite<double[]>(size * width);
      const View<double> right(memory.get(), size, width);
      for (std::size_t j = 0; j < width; ++j) {
        const Real* from = x.data() + (begin + j) * d + first;
        for (std::size_t i = 0; i < size; ++i) right.row(i)[j] = from[i];
      }
      form_->solve(team, block, right);
      for (std::size_t j = 0; j < width; ++j) {
        Real* to = out.data() + (begin + j) * d + first;
        bool all = true;
        for (std::size_t i = 0; i < size; ++i) {
          to[i] = static_cast<Real>(right.row(i)[j]);
          all = all && std::isfinite(to[i]);
        }
        if (!all) finite = false;
      }
    });
  }
  require_finite(finite, "the solution has entries",
                 std::is_same_v<Real, float> ? "float32" : "float64");
}

template void FisherBlocks::solve<float>(std::span<const float>, std::size_t, std::span<float>,
                                         const RunControl&);
template void FisherBlocks::solve<double>(std::span<const double>, std::size_t, std::span<double>,
                                          const RunControl&);

double FisherBlocks::remove(std::span<const std::uint32_t> positions,
                            std::span<const double> values, bool joint, std::span<double> delta,
                            const RunControl& control) {
  require_factored();
  std::vector<std::size_t> touched, starts;
  for (std::size_t k = 0; k < positions.size(); ++k) {
    const std::size_t block = positions[k] / shape_.block_size;
    if (!touched.empty() && touched.back() == block) continue;
    touched.push_back(block);
    starts.push_back(k);
  }
  starts.push_back(positions.size());
  std::vector<double> increases(touched.size());
  std::atomic<bool> finite = true;
  for_blocks(touched, control, [&](Team& team, std::size_t block) {
    const auto k = static_cast<std::size_t>(
        std::lower_bound(touched.begin(), touched.end(), block) - touched.begin());
    const std::size_t first = shape_.first(block), count = starts[k + 1] - starts[k];
    std::vector<std::uint32_t> local(count);
    for (std::size_t q = 0; q < count; ++q) {
      local[q] = static_cast<std::uint32_t>(positions[starts[k] + q] - first);
    }
    const auto w = values.subspan(starts[k], count);
    const auto change = delta.subspan(first, shape_.size(block));
    if (joint) {
      increases[k] = form_->remove(team, block, local, w, change);
      if (!all_finite(change)) finite = false;
      return;
    }
    // Σ (w_q/[H⁻¹]_qq)·H⁻¹e_q, and Σ w_q²/(2[H⁻¹]_qq)
    std::fill(change.begin(), change.end(), 0.0);
    for (std::size_t q = 0; q < count; ++q) {
      const double diagonal = diagonal_[first + local[q]];
      if (!std::isfinite(diagonal)) finite = false;  // and the quotients would be 0
      change[local[q]] = -w[q] / diagonal;
      increases[k] += w[q] * w[q] / (2 * diagonal);
    }
    form_->solve(team, block, {change.data(), change.size(), 1});
    if (!all_finite(change)) finite = false;
  });
  const double increase = std::accumulate(increases.begin(), increases.end(), 0.0);
  require_finite(finite && std::isfinite(increase), "the update has entries");
  return increase;
}

}  // namespace secondorder::mfac
