#include "mfac/fisher_window.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "algebra/cpu/cpu_row_window.hpp"
#include "base/error.hpp"
#include "base/finite.hpp"
#include "base/memory_facts.hpp"

namespace secondorder::mfac {

namespace {

void check_damping(double damping) {
  if (damping > 0 && std::isfinite(damping)) return;
  throw Error(ErrorCode::invalid_argument,
              "damping must be a positive number, got " + std::to_string(damping), "damping");
}

/// Of the machine: rows elsewhere are checked by who makes them.
void check_memory(const FisherWindowOptions& options, bool rows_elsewhere) {
  const double rows = static_cast<double>(options.capacity);
  const double columns =
      static_cast<double>(options.active.empty() ? options.dimension : options.active.size());
  const double row_window =
      rows_elsewhere ? 0 : CpuRowWindow::estimate_bytes(rows, columns, options.storage);
  const double need = row_window + SlidingFactor::estimate_bytes(rows) + 8 * rows * rows;
  const double have = static_cast<double>(available_memory());
  if (need <= have) return;
  throw Error(ErrorCode::out_of_memory,
              "A window of " + std::to_string(options.capacity) + " gradients of " +
                  std::to_string(static_cast<std::size_t>(columns)) + " " + name(options.storage) +
                  " numbers needs " + std::to_string(need / 1e6) + " MB; " +
                  std::to_string(have / 1e6) + " MB are available",
              "capacity");
}

FisherWindowOptions checked(FisherWindowOptions options) {
  check_damping(options.damping);
  for (const auto& [count, argument] :
       {std::pair{options.dimension, "dimension"}, std::pair{options.capacity, "capacity"}}) {
    if (count > 0) continue;
    throw Error(ErrorCode::invalid_argument, std::string(argument) + " must be at least 1",
                argument);
  }
  return options;
}

std::unique_ptr<RowWindow> make(const MakeRowWindow& make_rows,
                                const FisherWindowOptions& options) {
  RowWindowShape shape{options.capacity, options.dimension, options.storage, options.active};
  if (make_rows) {
    if (std::unique_ptr<RowWindow> rows = make_rows(shape)) {
      check_memory(options, true);
      return rows;
    }
  }
  check_memory(options, false);
  return std::make_unique<CpuRowWindow>(std::move(shape));
}

void check_length(std::size_t length, std::size_t expected, const char* argument) {
  if (length == expected) return;
  throw Error(ErrorCode::dimension_mismatch,
              std::string(argument) + " has " + std::to_string(length) + " elements, expected " +
                  std::to_string(expected),
              argument);
}

void check_finite(const HostVector& x, std::span<const std::uint32_t> active) {
  std::visit(
      [&](const auto& values) {
        const auto refuse_bad = [&](std::size_t position) {
          if (std::isfinite(values[position])) return;
          throw Error(ErrorCode::invalid_argument,
                      "x must be finite numbers, but entry " + std::to_string(position) + " is " +
                          std::to_string(values[position]),
                      "x");
        };
        for (const std::uint32_t position : active) refuse_bad(position);
        if (!active.empty()) return;
        const std::size_t bad = first_non_finite(values.data(), values.size());
        if (bad < values.size()) refuse_bad(bad);
      },
      x);
}

/// The rows obey `control` for as long as this lives.
class Watch {
 public:
  Watch(RowWindow& rows, const RunControl& control) : rows_(rows) { rows_.watch(&control); }
  ~Watch() { rows_.watch(nullptr); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  RowWindow& rows_;
};

}  // namespace

std::vector<std::uint32_t> active_positions(std::span<const std::uint8_t> mask) {
  const auto count =
      mask.size() - static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 0));
  if (count == 0) {
    throw Error(ErrorCode::invalid_argument, "mask leaves nothing: all its entries are 0", "mask");
  }
  if (mask.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorCode::invalid_argument, "mask has more than 2^32 - 1 entries", "mask");
  }
  std::vector<std::uint32_t> active;
  if (count == mask.size()) return active;
  active.reserve(count);
  for (std::size_t j = 0; j < mask.size(); ++j) {
    if (mask[j] != 0) active.push_back(static_cast<std::uint32_t>(j));
  }
  return active;
}

FisherWindow::FisherWindow(FisherWindowOptions options, const MakeRowWindow& make_rows)
    : options_(checked(std::move(options))),
      rows_(make(make_rows, options_)),
      gram_(options_.capacity * options_.capacity),
      factor_(options_.capacity) {}

std::size_t FisherWindow::bytes() const {
  return rows_->bytes() + gram_.size() * sizeof(double) + factor_.bytes() +
         options_.active.size() * sizeof(std::uint32_t);
}

double FisherWindow::normalizer(std::size_t size) const {
  return static_cast<double>(options_.normalize == Normalize::count ? size : options_.capacity);
}

void FisherWindow::refuse_pending() const {
  if (!pending()) return;
  throw Error(ErrorCode::invalid_argument,
              "A gradient that was pushed in slices has not been committed");
}

// --- a step --------------------------------------------------------------------------------------

void FisherWindow::push(const HostVector& gradient, std::span<float> solution,
                        const RunControl& control) {
  refuse_pending();
  check_length(secondorder::size(gradient), options_.dimension, "gradient");
  const Watch watch(*rows_, control);
  rows_->propose(gradient, size_);
  take_candidate(solution);
}

void FisherWindow::push_slice(std::size_t offset, const HostVector& part) {
  const std::size_t length = secondorder::size(part);
  if (offset > options_.dimension || length > options_.dimension - offset) {
    throw Error(ErrorCode::invalid_argument,
                "A slice of " + std::to_string(length) + " elements at offset " +
                    std::to_string(offset) + " ends after the gradient's " +
                    std::to_string(options_.dimension),
                "offset");
  }
  if (length == 0) return;
  if (slices_.overlaps(offset, length)) {
    throw Error(ErrorCode::invalid_argument,
                "The slice of " + std::to_string(length) + " elements at offset " +
                    std::to_string(offset) + " overlaps one that was pushed before",
                "offset");
  }
  SliceCoverage slices = slices_;
  slices.add(offset, length);
  rows_->propose_part(offset, part, size_);
  slices_ = std::move(slices);
}

void FisherWindow::commit(std::span<float> solution, const RunControl& control) {
  const std::size_t missing = slices_.first_missing();
  if (missing < options_.dimension) {
    throw Error(ErrorCode::invalid_argument, "The slices pushed so far lack entry " +
                                                 std::to_string(missing) + " of the gradient");
  }
  const Watch watch(*rows_, control);
  take_candidate(solution);
  slices_.clear();
}

void FisherWindow::discard_slices() noexcept {
  rows_->discard();
  slices_.clear();
}

void FisherWindow::take_candidate(std::span<float> solution) {
  const std::size_t leaving = full() ? 1 : 0, kept = size_ - leaving;

  // The new row of K, the oldest gradient first, from pass one.
  std::vector<double> products(size_), row(kept + 1);
  row[kept] = rows_->candidate_products(products);
  for (std::size_t i = 0; i < kept; ++i) row[i] = products[slot(leaving + i)];

  const bool factored = propose_factor(row, !solution.empty());
  if (!solution.empty()) solve_candidate(kept + 1, solution);

  // From here on nothing fails.
  const std::size_t newest = slot(size_);
  rows_->accept(newest);
  products.resize(size_);
  for (std::size_t i = 0; i < size_; ++i) {
    gram_[at(newest, slot(i))] = gram_[at(slot(i), newest)] = products[slot(i)];
  }
  gram_[at(newest, newest)] = row[kept];
  if (factored) factor_.accept();
  factored_ = factored;
  oldest_ = slot(leaving);
  size_ = kept + 1;
}

/// While a window with normalize 'count' fills, N and with it the whole diagonal of A change at
/// each step: A is then factored from K, O(k³), but only where a solution is asked for.
bool FisherWindow::propose_factor(std::span<const double> row, bool needed) {
  const std::size_t leaving = full() ? 1 : 0, kept = size_ - leaving;
  const double next_shift = shift(kept + 1);
  const bool same_shift = size_ == 0 || shift(size_) == next_shift;
  if (factored_ && same_shift) {
    factor_.propose_next(row, next_shift);
    return true;
  }
  if (!needed) return false;
  factor_.propose(kept + 1, next_shift, [&](std::size_t i, std::size_t j) {
    return i == kept ? row[j] : gram(leaving + i, leaving + j);
  });
  return true;
}

/// solution = N·Gᵀ·A⁻¹·e_last, pass two; G is still without its new row, which is the candidate.
void FisherWindow::solve_candidate(std::size_t next_size, std::span<float> solution) {
  check_length(solution.size(), options_.dimension, "solution");
  const std::size_t leaving = full() ? 1 : 0;
  std::vector<double> x(next_size), coefficients(size_, 0.0);
  factor_.solve_last_proposed(x);
  for (double& value : x) value *= normalizer(next_size);
  for (std::size_t i = 0; i + 1 < next_size; ++i) coefficients[slot(leaving + i)] = x[i];
  const Combination combination{.coefficients = coefficients,
                                .candidate_factor = x[next_size - 1],
                                .x_factor = 0,
                                .x = {},
                                .out = solution};
  rows_->combine(std::span(&combination, 1));
}

// --- any x ---------------------------------------------------------------------------------------

void FisherWindow::ensure_factor() {
  if (factored_) return;
  factor_.propose(size_, shift(size_), [&](std::size_t i, std::size_t j) { return gram(i, j); });
  factor_.accept();
  factored_ = true;
}

const SlidingFactor& FisherWindow::factor() {
  ensure_factor();
  return factor_;
}

void FisherWindow::solve(std::span<const HostVector> x, std::span<float> out,
                         const RunControl& control) {
  const std::size_t count = x.size(), d = options_.dimension;
  check_length(out.size(), count * d, "out");
  for (const HostVector& vector : x) {
    check_length(secondorder::size(vector), d, "x");
    check_finite(vector, options_.active);
  }
  const Watch watch(*rows_, control);
  ensure_factor();

  std::vector<double> products(count * size_), solved(count * size_);  // G·x, A⁻¹·G·x
  if (size_ > 0) rows_->products(x, size_, products);
  for (std::size_t v = 0; v < count; ++v) {
    for (std::size_t i = 0; i < size_; ++i) solved[v * size_ + i] = products[v * size_ + slot(i)];
  }
  factor_.solve_many(solved, count);

  const double inverse = 1 / options_.damping;
  std::vector<double>& coefficients = products;
  std::vector<Combination> combinations(count);
  for (std::size_t v = 0; v < count; ++v) {
    for (std::size_t i = 0; i < size_; ++i) {
      coefficients[v * size_ + slot(i)] = -inverse * solved[v * size_ + i];
    }
    combinations[v].coefficients = std::span(coefficients).subspan(v * size_, size_);
    combinations[v].x_factor = inverse;
    combinations[v].x = x[v];
    combinations[v].out = out.subspan(v * d, d);
  }
  rows_->combine(combinations);
}

// --- the rest ------------------------------------------------------------------------------------

void FisherWindow::set_damping(double damping) {
  check_damping(damping);
  if (damping == options_.damping) return;
  options_.damping = damping;
  factored_ = size_ == 0;
}

void FisherWindow::clear() noexcept {
  discard_slices();
  factor_.clear();
  factored_ = true;
  size_ = oldest_ = 0;
}

}  // namespace secondorder::mfac
