// The candidate row of a window: rounded, multiplied with the window as it arrives, accepted.
#include <algorithm>
#include <atomic>
#include <limits>

#include "algebra/cpu/cpu_row_window.hpp"
#include "algebra/cpu/tiling.hpp"
#include "algebra/row_window_messages.hpp"
#include "base/error.hpp"

namespace secondorder {

namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

[[noreturn]] void refuse(const HostVector& g, std::size_t index, std::size_t position) {
  throw Error(ErrorCode::invalid_argument, refused_candidate(g, index, position), "gradient");
}

}  // namespace

std::size_t CpuRowWindow::propose_task(std::size_t task, int thread, const HostVector& g,
                                       bool packed, std::size_t used) {
  Scratch& scratch = *scratch_[static_cast<std::size_t>(thread)];
  double* sums = &candidate_sums_[task * stored_rows_];
  std::fill_n(sums, stored_rows_, 0.0);
  double square = 0;
  for (std::size_t b = first_block(task); b < last_block(task); ++b) {
    const Block range = block(b);
    const float* values = scratch.values;
    const auto* floats = std::get_if<std::span<const float>>(&g);
    if (floats != nullptr && (packed || shape_.active.empty())) {
      values = floats->data() + range.first;
    } else {
      std::visit(
          [&](const auto& from) {
            for (std::size_t j = 0; j < range.columns; ++j) {
              const std::size_t at = packed ? range.first + j : position(range.first + j);
              scratch.values[j] = static_cast<float>(from[at]);
            }
          },
          g);
    }
    const std::size_t bad = kernels_.first_non_finite(values, range.columns);
    if (bad < range.columns) return range.first + bad;
    float& scale = candidate_scales_[b];
    rows().encode(values, range.columns, candidate(b), &scale);
    rows().prepare_row(candidate(b), scale, range.lines, scratch.x[0]);
    square += rows().self_product(candidate(b), scale, range.lines, scratch.x[0]);
    add_products(b, 1, used, scratch, sums, stored_rows_);
  }
  candidate_squares_[task] = square;
  return none;
}

void CpuRowWindow::propose_tasks(std::span<const std::size_t> tasks, const HostVector& g,
                                 bool packed, std::size_t used) {
  prepare_scratch(1);
  std::atomic<std::size_t> bad = none;
  const std::size_t bytes = pass_bytes(used) / tasks_ * tasks.size();
  team_.run(tasks.size(), bytes, [&](std::size_t index, int thread) {
    const std::size_t found = propose_task(tasks[index], thread, g, packed, used);
    std::size_t first = bad;
    while (found < first && !bad.compare_exchange_weak(first, found)) {
    }
  });
  if (bad != none) refuse(g, position(bad), shape_.first_position + position(bad));
}

void CpuRowWindow::propose(const HostVector& g, std::size_t used) {
  std::vector<std::size_t> tasks(tasks_);
  for (std::size_t task = 0; task < tasks_; ++task) tasks[task] = task;
  propose_tasks(tasks, g, false, used);
}

void CpuRowWindow::propose_part(std::size_t offset, const HostVector& part, std::size_t used) {
  if (parts_.empty()) {
    parts_.resize(shape_.columns());
    for (std::size_t task = 0; task < tasks_; ++task) {
      const std::size_t end = std::min(last_block(task) * block_columns, shape_.columns());
      missing_[task] = end - first_block(task) * block_columns;
    }
  }
  const std::size_t first = shape_.columns_before(offset);
  const std::size_t last = shape_.columns_before(offset + size(part));
  for (std::size_t j = first; j < last; ++j) {
    const std::size_t index = position(j) - offset;
    std::visit([&](const auto& values) { parts_[j] = static_cast<float>(values[index]); }, part);
  }
  const std::size_t bad = kernels_.first_non_finite(parts_.data() + first, last - first);
  if (bad < last - first) {
    refuse(part, position(first + bad) - offset, shape_.first_position + position(first + bad));
  }

  const std::size_t task_columns = blocks_per_task_ * block_columns;
  const auto each_task = [&](const auto& body) {
    for (std::size_t j = first; j < last;) {
      const std::size_t task = j / task_columns, end = std::min(last, (task + 1) * task_columns);
      body(task, end - j);
      j = end;
    }
  };
  std::vector<std::size_t> complete;
  each_task([&](std::size_t task, std::size_t arrived) {
    if (missing_[task] == arrived) complete.push_back(task);
  });
  if (!complete.empty()) propose_tasks(complete, std::span<const float>(parts_), true, used);
  each_task([&](std::size_t task, std::size_t arrived) { missing_[task] -= arrived; });
}

double CpuRowWindow::candidate_products(std::span<double> products) {
  std::fill(products.begin(), products.end(), 0.0);
  double square = 0;
  for (std::size_t task = 0; task < tasks_; ++task) {
    const double* sums = &candidate_sums_[task * stored_rows_];
    for (std::size_t i = 0; i < products.size(); ++i) products[i] += sums[i];
    square += candidate_squares_[task];
  }
  return square;
}

void CpuRowWindow::accept(std::size_t slot) noexcept {
  team_.watch(nullptr);
  team_.run(tasks_, pass_bytes(1), [&](std::size_t task, int) {
    for (std::size_t b = first_block(task); b < last_block(task); ++b) {
      rows().store(candidate(b), block(b).lines, group(b, slot), group_height(slot),
                   slot % group_rows);
      if (!scales_.empty()) scales_[b * stored_rows_ + slot] = candidate_scales_[b];
    }
  });
  discard();
}

void CpuRowWindow::discard() noexcept { parts_ = {}; }

}  // namespace secondorder
