// Set-up of FisherBlocks: gradients in, factors out.
#include "mfac/fisher_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "mfac/fisher_blocks_teams.hpp"

namespace secondorder::mfac {

namespace {

FisherBlocksOptions checked(FisherBlocksOptions options) {
  if (options.dimension == 0 || options.dimension > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorCode::invalid_argument, "dimension must be from 1 to 2147483647", "dimension");
  }
  if (!(options.damping > 0) || !std::isfinite(options.damping)) {
    throw Error(ErrorCode::invalid_argument, "damping must be a finite number above 0", "damping");
  }
  if (options.block_size == 0 || options.block_size > options.dimension) {
    options.block_size = options.dimension;
  }
  return options;
}

}  // namespace

FisherBlocks::FisherBlocks(FisherBlocksOptions options)
    : options_(checked(std::move(options))),
      shape_{options_.dimension, options_.block_size},
      store_(shape_.dimension, choose_storage(), options_.directory, held_rows()) {}

FisherBlocks::~FisherBlocks() = default;

bool FisherBlocks::add(std::span<const float> gradients, std::size_t rows) {
  if (factored()) {
    throw Error(ErrorCode::invalid_argument, "the blocks are factored: they take no more gradients",
                "gradients");
  }
  if (rows == 0 || gradients.size() != rows * shape_.dimension) {
    throw Error(ErrorCode::dimension_mismatch,
                "gradients must have rows × dimension = " + std::to_string(rows) + " × " +
                    std::to_string(shape_.dimension) + " numbers, got " +
                    std::to_string(gradients.size()),
                "gradients");
  }
  // Whoever leaves fold() out gets it here before memory runs out.
  if (foldable() && store_.rows() >= 4 * fold_limit()) fold_rows(RunControl());
  std::size_t bad = 0;
  try {
    bad = store_.append(gradients);
  } catch (const Error& error) {
    if (error.code != ErrorCode::out_of_memory || !foldable() || store_.rows() == 0) throw;
    fold_rows(RunControl());
    bad = store_.append(gradients);
  }
  if (bad < gradients.size()) refuse(gradients, bad);
  gradients_ += rows;
  return foldable() && store_.rows() >= fold_limit();
}

void FisherBlocks::refuse(std::span<const float> gradients, std::size_t at) const {
  throw Error(ErrorCode::invalid_argument,
              "gradients[" + std::to_string(at) + "] (row " +
                  std::to_string(at / shape_.dimension) + ", entry " +
                  std::to_string(at % shape_.dimension) + ") is " +
                  (std::isnan(gradients[at]) ? "NaN" : "infinite"),
              "gradients");
}

void FisherBlocks::for_blocks(std::span<const std::size_t> blocks, const RunControl& control,
                              FunctionRef<void(Team&, std::size_t)> body) {
  const bool shared = blocks_are_shared(shape_, std::min(gradients_, shape_.block_size));
  if (!teams_ || !teams_->serves(control.threads, shared)) {
    teams_.reset();
    teams_ = std::make_unique<Teams>(control.threads, shared);
  }
  constexpr std::size_t task_columns = 256;  // small blocks make up a task together
  const std::size_t at_once = std::max<std::size_t>(1, task_columns / shape_.block_size);
  teams_->run(blocks.size(), at_once, control,
              [&](Team& team, std::size_t i) { body(team, blocks[i]); });
}

void FisherBlocks::for_blocks(const RunControl& control,
                              FunctionRef<void(Team&, std::size_t)> body) {
  std::vector<std::size_t> all(shape_.blocks());
  std::iota(all.begin(), all.end(), std::size_t{0});
  for_blocks(all, control, body);
}

void FisherBlocks::begin_folding(const RunControl& control) {
  if (folding_) return;
  require_factor_memory(control.threads);
  folding_ = std::make_unique<DirectBlocks>(shape_);
}

void FisherBlocks::fold_rows(const RunControl& control) {
  begin_folding(control);
  for_blocks(control, [&](Team& team, std::size_t block) {
    folding_->fold(team, block, store_, options_.damping);
  });
  folding_->forget_rows(store_.rows());
  store_.clear();
}

void FisherBlocks::fold(const RunControl& control) {
  if (!factored() && foldable() && store_.rows() >= fold_limit()) fold_rows(control);
}

void FisherBlocks::factor(const RunControl& control) {
  if (factored()) return;
  if (gradients_ == 0) {
    throw Error(ErrorCode::not_fitted, "there are no gradients to make the blocks from");
  }
  std::vector<double> diagonal(shape_.dimension);
  const auto part = [&](std::size_t block) {
    return std::span(diagonal).subspan(shape_.first(block), shape_.size(block));
  };
  if (foldable()) {
    begin_folding(control);
    folding_->finish(gradients_);
    for_blocks(control, [&](Team& team, std::size_t block) {
      folding_->fold(team, block, store_, options_.damping);
      folding_->diagonal(team, block, part(block));
    });
    store_.release();
    form_ = std::move(folding_);
  } else {
    require_factor_memory(control.threads);
    auto blocks = std::make_unique<WoodburyBlocks>(shape_, store_, options_.damping);
    for_blocks(control, [&](Team& team, std::size_t block) {
      blocks->factor(team, block);
      blocks->diagonal(team, block, part(block));
    });
    form_ = std::move(blocks);
  }
  diagonal_ = std::move(diagonal);
}

std::size_t FisherBlocks::bytes() const {
  const std::size_t factors = form_ ? form_->bytes() : folding_ ? folding_->bytes() : 0;
  return store_.bytes() + factors + (diagonal_.size() + column_.capacity()) * sizeof(double);
}

}  // namespace secondorder::mfac
