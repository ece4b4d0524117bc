#include "algebra/sharded_row_window.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

namespace secondorder {

namespace {

HostVector part_of(const HostVector& x, std::size_t first, std::size_t count) {
  return std::visit([&](const auto& values) -> HostVector { return values.subspan(first, count); },
                    x);
}

/// Columns [first, first + count) of a shape, of the positions from `first_position` on.
RowWindowShape shard_shape(const RowWindowShape& whole, std::size_t first, std::size_t count,
                           std::size_t first_position, std::size_t positions) {
  RowWindowShape shape{whole.rows, positions, whole.storage, {}, 0};
  shape.first_position = whole.first_position + first_position;
  if (whole.active.empty() || count == positions) return shape;
  shape.active.reserve(count);
  for (std::size_t j = first; j < first + count; ++j) {
    shape.active.push_back(static_cast<std::uint32_t>(whole.active[j] - first_position));
  }
  return shape;
}

}  // namespace

ShardedRowWindow::ShardedRowWindow(RowWindowShape shape, std::size_t shards, const MakeShard& make)
    : shape_(std::move(shape)), layout_{shape_.columns(), shape_.storage} {
  const std::size_t blocks = layout_.blocks(), columns = shape_.columns();
  const std::size_t count = std::clamp<std::size_t>(shards, 1, std::max<std::size_t>(blocks, 1));
  const auto first_column = [&](std::size_t index) {
    const std::size_t before = blocks / count * index + std::min(index, blocks % count);
    return std::min(before * block_columns, columns);
  };
  const auto first_position = [&](std::size_t index) -> std::size_t {
    if (index == 0) return 0;
    if (index == count) return shape_.dimension;
    return shape_.active.empty() ? first_column(index) : shape_.active[first_column(index)];
  };
  for (std::size_t s = 0; s < count; ++s) {
    const std::size_t first = first_column(s), own = first_column(s + 1) - first;
    const std::size_t position = first_position(s), positions = first_position(s + 1) - position;
    shards_.push_back({make(s, shard_shape(shape_, first, own, position, positions)), first, own,
                       position, positions, RowLayout{own, shape_.storage}});
  }
}

void ShardedRowWindow::all(const std::function<void(std::size_t, const Shard&)>& body) const {
  std::vector<std::exception_ptr> failures(shards_.size());
  const auto run = [&](std::size_t s) noexcept {
    try {
      body(s, shards_[s]);
    } catch (...) {
      failures[s] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t s = 1; s < shards_.size(); ++s) threads.emplace_back(run, s);
    run(0);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void ShardedRowWindow::watch(const RunControl* control) {
  for (const Shard& shard : shards_) shard.rows->watch(control);
}

// --- the candidate -------------------------------------------------------------------------------

void ShardedRowWindow::propose(const HostVector& g, std::size_t used) {
  all([&](std::size_t, const Shard& shard) {
    shard.rows->propose(part_of(g, shard.first_position, shard.positions), used);
  });
}

void ShardedRowWindow::propose_part(std::size_t offset, const HostVector& part, std::size_t used) {
  const std::size_t end = offset + size(part);
  all([&](std::size_t, const Shard& shard) {
    const std::size_t first = std::max(offset, shard.first_position);
    const std::size_t last = std::min(end, shard.first_position + shard.positions);
    if (first >= last) return;
    shard.rows->propose_part(first - shard.first_position,
                             part_of(part, first - offset, last - first), used);
  });
}

double ShardedRowWindow::candidate_products(std::span<double> products) {
  const std::size_t used = products.size();
  std::vector<double> parts(shards_.size() * used), squares(shards_.size());
  all([&](std::size_t s, const Shard& shard) {
    squares[s] = shard.rows->candidate_products(std::span(parts).subspan(s * used, used));
  });
  std::fill(products.begin(), products.end(), 0.0);
  double square = 0;
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    for (std::size_t i = 0; i < used; ++i) products[i] += parts[s * used + i];
    square += squares[s];
  }
  return square;
}

void ShardedRowWindow::accept(std::size_t slot) noexcept {
  for (const Shard& shard : shards_) shard.rows->accept(slot);
}

void ShardedRowWindow::discard() noexcept {
  for (const Shard& shard : shards_) shard.rows->discard();
}

// --- the two passes ------------------------------------------------------------------------------

void ShardedRowWindow::products(std::span<const HostVector> x, std::size_t used,
                                std::span<double> y) {
  const std::size_t count = x.size() * used;
  std::vector<double> parts(shards_.size() * count);
  all([&](std::size_t s, const Shard& shard) {
    std::vector<HostVector> own;
    for (const HostVector& vector : x) {
      own.push_back(part_of(vector, shard.first_position, shard.positions));
    }
    shard.rows->products(own, used, std::span(parts).subspan(s * count, count));
  });
  std::fill_n(y.begin(), count, 0.0);
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    for (std::size_t i = 0; i < count; ++i) y[i] += parts[s * count + i];
  }
}

void ShardedRowWindow::combine(std::span<const Combination> combinations) {
  all([&](std::size_t, const Shard& shard) {
    std::vector<Combination> own(combinations.begin(), combinations.end());
    for (Combination& c : own) {
      if (c.x_factor != 0) c.x = part_of(c.x, shard.first_position, shard.positions);
      c.out = c.out.subspan(shard.first_position, shard.positions);
    }
    shard.rows->combine(own);
  });
}

// --- rows ----------------------------------------------------------------------------------------

void ShardedRowWindow::read_row(std::size_t slot, std::span<double> values) const {
  for (const Shard& shard : shards_) {
    shard.rows->read_row(slot, values.subspan(shard.first_column, shard.columns));
  }
}

std::size_t ShardedRowWindow::row_bytes() const { return layout_.row_bytes(); }

template <class Byte>
ShardedRowWindow::RowPieces<Byte> ShardedRowWindow::pieces(const Shard& shard,
                                                           std::span<Byte> row) const {
  const RowLayout before{shard.first_column, shape_.storage};
  return {row.subspan(before.scale_row_bytes(), shard.layout.scale_row_bytes()),
          row.subspan(layout_.scale_row_bytes() + before.element_row_bytes(),
                      shard.layout.element_row_bytes())};
}

void ShardedRowWindow::export_row(std::size_t slot, std::span<std::byte> bytes) const {
  std::vector<std::byte> own;
  for (const Shard& shard : shards_) {
    own.resize(shard.layout.row_bytes());
    shard.rows->export_row(slot, own);
    const auto to = pieces(shard, bytes);
    const auto scales = own.begin() + static_cast<std::ptrdiff_t>(to.scales.size());
    std::copy(own.begin(), scales, to.scales.begin());
    std::copy(scales, own.end(), to.elements.begin());
  }
}

void ShardedRowWindow::import_row(std::size_t slot, std::span<const std::byte> bytes) {
  std::vector<std::byte> own;
  for (const Shard& shard : shards_) {
    const auto from = pieces(shard, bytes);
    own.assign(from.scales.begin(), from.scales.end());
    own.insert(own.end(), from.elements.begin(), from.elements.end());
    shard.rows->import_row(slot, own);
  }
}

// --- sizes ---------------------------------------------------------------------------------------

std::size_t ShardedRowWindow::window_bytes() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.rows->window_bytes();
  return sum;
}

std::size_t ShardedRowWindow::bytes() const {
  std::size_t sum = shape_.active.size() * sizeof(std::uint32_t);
  for (const Shard& shard : shards_) sum += shard.rows->bytes();
  return sum;
}

}  // namespace secondorder
