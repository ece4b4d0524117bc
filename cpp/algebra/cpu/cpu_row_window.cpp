#include "algebra/cpu/cpu_row_window.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "algebra/cpu/tiling.hpp"
#include "algebra/row_window_messages.hpp"
#include "base/error.hpp"

namespace secondorder {

namespace {

std::size_t columns_per_line(Storage storage) { return line_bytes / element_bytes(storage); }

/// int8 rows are stored in pairs.
std::size_t rows_stored(std::size_t rows, Storage storage) {
  return storage == Storage::int8 ? round_up(rows, 2) : rows;
}

/// to[j] = x at the position of column first + j, as a float of type To.
template <class To>
void gather(const HostVector& x, const std::uint32_t* active, std::size_t first, std::size_t count,
            To* to) {
  std::visit(
      [&](const auto& values) {
        if (active == nullptr) {
          const auto* from = values.data() + first;
          for (std::size_t j = 0; j < count; ++j) to[j] = static_cast<To>(from[j]);
        } else {
          for (std::size_t j = 0; j < count; ++j) {
            to[j] = static_cast<To>(values[active[first + j]]);
          }
        }
      },
      x);
}

}  // namespace

CpuRowWindow::CpuRowWindow(RowWindowShape shape, const RowWindowKernels& kernels)
    : shape_(std::move(shape)),
      kernels_(kernels),
      per_line_(columns_per_line(shape_.storage)),
      stored_rows_(rows_stored(shape_.rows, shape_.storage)),
      blocks_(divide_up(shape_.columns(), block_columns)),
      tasks_(0),
      blocks_per_task_(std::max<std::size_t>(divide_up(blocks_, most_tasks), 1)),
      data_(stored_rows_ * divide_up(shape_.columns(), per_line_) * line_bytes),
      scales_(has_scales(shape_.storage) ? blocks_ * stored_rows_ : 0, 1.0F),
      candidate_bytes_(divide_up(shape_.columns(), per_line_) * line_bytes),
      candidate_(candidate_bytes_),
      candidate_scales_(blocks_, 1.0F) {
  tasks_ = divide_up(blocks_, blocks_per_task_);
  candidate_sums_.resize(tasks_ * stored_rows_);
  candidate_squares_.resize(tasks_);
  missing_.resize(tasks_);
}

double CpuRowWindow::estimate_bytes(double rows, double columns, Storage storage) {
  const double lines = std::ceil(columns / static_cast<double>(columns_per_line(storage)));
  const double blocks = std::ceil(columns / static_cast<double>(block_columns));
  const double scales = has_scales(storage) ? 4.0 * blocks * (rows + 1) : 0;
  const double sums = 8.0 * (rows + 1) * std::min(blocks, static_cast<double>(most_tasks));
  return (rows + 1) * lines * line_bytes + scales + sums;
}

CpuRowWindow::Block CpuRowWindow::block(std::size_t index) const {
  const std::size_t first = index * block_columns;
  const std::size_t columns = std::min(block_columns, shape_.columns() - first);
  return {first, columns, divide_up(columns, per_line_)};
}

std::size_t CpuRowWindow::group_height(std::size_t slot) const {
  return std::min(group_rows, stored_rows_ - slot / group_rows * group_rows);
}

RowBlock CpuRowWindow::row_block(std::size_t index, std::size_t first, std::size_t count) const {
  const std::size_t last = std::min(round_up(first + count, group_rows), stored_rows_);
  const float* scales = scales_.empty() ? nullptr : &scales_[index * stored_rows_ + first];
  return {group(index, first), scales, last - first, block(index).lines};
}

std::byte* CpuRowWindow::group(std::size_t index, std::size_t slot) const {
  const std::size_t before = index * (block_columns / per_line_) * stored_rows_;
  const std::size_t first = slot / group_rows * group_rows;
  return data_.data() + (before + first * block(index).lines) * line_bytes;
}

std::byte* CpuRowWindow::candidate(std::size_t index) const {
  return candidate_.data() + index * (block_columns / per_line_) * line_bytes;
}

std::size_t CpuRowWindow::last_block(std::size_t task) const {
  return std::min(first_block(task) + blocks_per_task_, blocks_);
}

std::size_t CpuRowWindow::pass_bytes(std::size_t used) const {
  return (used + 4) * shape_.columns() * element_bytes(shape_.storage);
}

void CpuRowWindow::prepare_scratch(std::size_t vectors) {
  scratch_.resize(std::max(scratch_.size(), static_cast<std::size_t>(team_.threads())));
  for (auto& scratch : scratch_) {
    if (!scratch) scratch = std::make_unique<Scratch>();
    if (scratch->x.size() >= vectors) continue;
    scratch->x.resize(vectors);
    scratch->sums.resize(vectors);
  }
}

// --- the passes ----------------------------------------------------------------------------------

void CpuRowWindow::add_products(std::size_t index, std::size_t vectors, std::size_t used,
                                Scratch& scratch, double* sums, std::size_t stride) const {
  const std::size_t step = vectors == 1 ? used : rows_at_once;
  for (std::size_t first = 0; first < used; first += step) {
    const RowBlock part = row_block(index, first, std::min(step, used - first));
    for (std::size_t v = 0; v < vectors; ++v) {
      rows().products(part, scratch.x[v], sums + v * stride + first);
    }
  }
}

void CpuRowWindow::products(std::span<const HostVector> x, std::size_t used, std::span<double> y) {
  prepare_scratch(std::min(x.size(), vectors_at_once));
  const std::size_t stride = stored_rows_;
  std::vector<double> sums(tasks_ * std::min(x.size(), vectors_at_once) * stride);
  const std::uint32_t* active = shape_.active.empty() ? nullptr : shape_.active.data();
  for (std::size_t done = 0; done < x.size(); done += vectors_at_once) {
    const std::size_t vectors = std::min(vectors_at_once, x.size() - done);
    std::fill(sums.begin(), sums.end(), 0.0);
    team_.run(tasks_, pass_bytes(used), [&](std::size_t task, int thread) {
      Scratch& scratch = *scratch_[static_cast<std::size_t>(thread)];
      double* mine = sums.data() + task * vectors * stride;
      for (std::size_t b = first_block(task); b < last_block(task); ++b) {
        const Block range = block(b);
        const std::size_t padded = range.lines * per_line_;
        for (std::size_t v = 0; v < vectors; ++v) {
          BlockVector& vector = scratch.x[v];
          gather(x[done + v], active, range.first, range.columns, vector.values);
          std::fill(vector.values + range.columns, vector.values + padded, 0.0);
          rows().prepare(padded, vector);
        }
        add_products(b, vectors, used, scratch, mine, stride);
      }
    });
    for (std::size_t v = 0; v < vectors; ++v) {
      double* to = y.data() + (done + v) * used;
      std::fill_n(to, used, 0.0);
      for (std::size_t task = 0; task < tasks_; ++task) {
        const double* from = sums.data() + (task * vectors + v) * stride;
        for (std::size_t i = 0; i < used; ++i) to[i] += from[i];
      }
    }
  }
}

bool CpuRowWindow::combine_block(std::size_t index, std::span<const Combination> combinations,
                                 Scratch& scratch) const {
  const Block range = block(index);
  const std::size_t padded = range.lines * per_line_;
  const std::uint32_t* active = shape_.active.empty() ? nullptr : shape_.active.data();
  std::size_t used = 0;
  for (std::size_t v = 0; v < combinations.size(); ++v) {
    const Combination& c = combinations[v];
    double* sum = scratch.sums[v].values;
    used = std::max(used, c.coefficients.size());
    if (c.x_factor != 0) {
      gather(c.x, active, range.first, range.columns, sum);
      for (std::size_t j = 0; j < range.columns; ++j) sum[j] *= c.x_factor;
    } else {
      std::fill_n(sum, range.columns, 0.0);
    }
    std::fill(sum + range.columns, sum + padded, 0.0);
    if (c.candidate_factor == 0) continue;
    double* values = scratch.x[0].values;
    rows().decode(candidate(index), candidate_scales_[index], range.lines, values);
    for (std::size_t j = 0; j < range.columns; ++j) sum[j] += c.candidate_factor * values[j];
  }
  const std::size_t step = combinations.size() == 1 ? used : rows_at_once;
  for (std::size_t first = 0; first < used; first += step) {
    const RowBlock part = row_block(index, first, std::min(step, used - first));
    for (std::size_t v = 0; v < combinations.size(); ++v) {
      rows().combine(part, combinations[v].coefficients.data() + first, scratch.combine,
                     scratch.sums[v].values);
    }
  }
  bool finite = true;
  for (std::size_t v = 0; v < combinations.size(); ++v) {
    const std::span<float> out = combinations[v].out;
    float* to = active == nullptr ? out.data() + range.first : scratch.values;
    finite = kernels_.narrow(scratch.sums[v].values, range.columns, to) && finite;
    if (active == nullptr) continue;
    for (std::size_t j = 0; j < range.columns; ++j) {
      out[active[range.first + j]] = scratch.values[j];
    }
  }
  return finite;
}

void CpuRowWindow::combine(std::span<const Combination> combinations) {
  prepare_scratch(std::min(combinations.size(), vectors_at_once));
  std::size_t used = 0;
  for (const Combination& c : combinations) {
    used = std::max(used, c.coefficients.size());
    if (!shape_.active.empty()) std::fill(c.out.begin(), c.out.end(), 0.0F);
  }
  // Coefficients up to the last row that the kernels touch.
  const std::size_t stored = std::min(round_up(used, group_rows), stored_rows_);
  std::vector<double> coefficients(stored * combinations.size(), 0.0);
  std::vector<Combination> padded(combinations.begin(), combinations.end());
  for (std::size_t v = 0; v < padded.size(); ++v) {
    const auto given = padded[v].coefficients;
    std::copy(given.begin(), given.end(), coefficients.data() + v * stored);
    padded[v].coefficients = {coefficients.data() + v * stored, stored};
  }
  std::atomic<bool> finite = true;
  for (std::size_t done = 0; done < padded.size(); done += vectors_at_once) {
    const auto some =
        std::span(padded).subspan(done, std::min(vectors_at_once, padded.size() - done));
    team_.run(tasks_, pass_bytes(used), [&](std::size_t task, int thread) {
      Scratch& scratch = *scratch_[static_cast<std::size_t>(thread)];
      for (std::size_t b = first_block(task); b < last_block(task); ++b) {
        if (!combine_block(b, some, scratch)) finite = false;
      }
    });
  }
  if (!finite) {
    throw Error(ErrorCode::numerical, combination_beyond_float32);
  }
}

// --- rows as values and as bytes -----------------------------------------------------------------

void CpuRowWindow::read_row(std::size_t slot, std::span<double> values) const {
  std::vector<std::byte> row(block_columns * sizeof(float));
  std::vector<double> decoded(block_columns);
  for (std::size_t b = 0; b < blocks_; ++b) {
    const Block range = block(b);
    rows().fetch(group(b, slot), group_height(slot), slot % group_rows, range.lines, row.data());
    const float scale = scales_.empty() ? 1 : scales_[b * stored_rows_ + slot];
    rows().decode(row.data(), scale, range.lines, decoded.data());
    std::copy_n(decoded.begin(), range.columns, values.begin() + range.first);
  }
}

/// A row as bytes: the scale of each block, where there are scales; then its lines, padded with
/// zeros to whole ones.
std::size_t CpuRowWindow::row_bytes() const {
  return candidate_bytes_ + (scales_.empty() ? 0 : blocks_ * sizeof(float));
}

void CpuRowWindow::export_row(std::size_t slot, std::span<std::byte> bytes) const {
  std::byte* to = bytes.data();
  if (!scales_.empty()) {
    for (std::size_t b = 0; b < blocks_; ++b, to += sizeof(float)) {
      std::memcpy(to, &scales_[b * stored_rows_ + slot], sizeof(float));
    }
  }
  for (std::size_t b = 0; b < blocks_; ++b) {
    const std::size_t lines = block(b).lines;
    rows().fetch(group(b, slot), group_height(slot), slot % group_rows, lines, to);
    to += lines * line_bytes;
  }
}

void CpuRowWindow::import_row(std::size_t slot, std::span<const std::byte> bytes) {
  const std::byte* from = bytes.data();
  if (!scales_.empty()) {
    for (std::size_t b = 0; b < blocks_; ++b, from += sizeof(float)) {
      std::memcpy(&scales_[b * stored_rows_ + slot], from, sizeof(float));
    }
  }
  for (std::size_t b = 0; b < blocks_; ++b) {
    const std::size_t lines = block(b).lines;
    rows().store(from, lines, group(b, slot), group_height(slot), slot % group_rows);
    from += lines * line_bytes;
  }
}

std::size_t CpuRowWindow::window_bytes() const {
  return data_.bytes() + scales_.size() * sizeof(float);
}

std::size_t CpuRowWindow::bytes() const {
  std::size_t scratch = 0;
  for (const auto& one : scratch_) {
    if (one) scratch += sizeof(Scratch) + one->x.size() * (sizeof(BlockVector) + sizeof(Sums));
  }
  return scratch + window_bytes() + shape_.active.size() * sizeof(std::uint32_t) +
         candidate_.bytes() + (candidate_scales_.size() + parts_.capacity()) * sizeof(float) +
         (candidate_sums_.size() + candidate_squares_.size()) * sizeof(double) +
         missing_.size() * sizeof(std::size_t);
}

}  // namespace secondorder
