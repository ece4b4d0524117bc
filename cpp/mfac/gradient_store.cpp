#include "mfac/gradient_store.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <utility>

#include "algebra/cpu/row_window_kernels.hpp"
#include "base/error.hpp"
#include "base/memory_facts.hpp"
#include "base/thread_pool.hpp"

namespace secondorder::mfac {

namespace {

constexpr std::uint16_t largest_bfloat16 = 0x7F7F;
/// Memory is taken in slabs of about this size: large enough to be few, small enough that the last
/// one, which may stay partly empty, does not matter.
constexpr std::size_t slab_bytes = std::size_t{64} << 20;

/// Rows lie pages apart, which hides from the processor what is read next.
constexpr std::size_t ahead = 8;
void prefetch(const std::byte* from, std::size_t bytes) {
  constexpr std::size_t line = 64, most = 1024;
  for (std::size_t i = 0; i < std::min(bytes, most); i += line) __builtin_prefetch(from + i);
}

void widen(const std::byte* row, std::size_t first, std::size_t count, bool halves, double* out) {
  if (halves) {
    const auto* values = reinterpret_cast<const std::uint16_t*>(row) + first;
    for (std::size_t j = 0; j < count; ++j) out[j] = from_bfloat16(values[j]);
  } else {
    const auto* values = reinterpret_cast<const float*>(row) + first;
    for (std::size_t j = 0; j < count; ++j) out[j] = values[j];
  }
}

}  // namespace

std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto rounded = static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
  const auto magnitude = static_cast<std::uint16_t>(rounded & 0x7FFF);
  if (magnitude <= largest_bfloat16) return rounded;
  return static_cast<std::uint16_t>((rounded & 0x8000) | largest_bfloat16);
}

float from_bfloat16(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

std::size_t GradientStore::row_bytes(std::size_t dimension, GradientStorage storage) {
  const bool halves = storage == GradientStorage::bfloat16;
  return dimension * (halves ? sizeof(std::uint16_t) : sizeof(float));
}

GradientStore::GradientStore(std::size_t dimension, GradientStorage storage, std::string directory,
                             std::size_t expected)
    : dimension_(dimension),
      storage_(storage),
      directory_(directory.empty() ? temporary_directory() : std::move(directory)),
      expected_(expected),
      row_bytes_(row_bytes(dimension, storage)) {}

Pages GradientStore::make_pages(std::size_t bytes, bool& disk) const {
  disk = storage_ == GradientStorage::disk;
  if (!disk) {
    const std::size_t available = available_memory();
    if (bytes <= available) return Pages::in_memory(bytes);
    if (storage_ != GradientStorage::automatic) {
      throw Error(ErrorCode::out_of_memory, "the gradients need " + std::to_string(bytes) +
                                                " more bytes of memory, and " +
                                                std::to_string(available) + " are available");
    }
    disk = true;
  }
  return Pages::on_disk(bytes, directory_);
}

void GradientStore::grow(std::size_t rows) {
  const std::size_t wanted =
      std::max(rows, expected_ > capacity_ ? expected_ - capacity_
                                           : std::max<std::size_t>(capacity_ / 8, 8));
  const std::size_t at_once = std::max<std::size_t>(1, slab_bytes / row_bytes_);
  const std::size_t before = slabs_.size(), capacity = capacity_;
  try {
    std::size_t missing = rows, rest = wanted;
    while (missing > 0) {
      const std::size_t count = std::min(rest, at_once);
      bool disk = false;
      Pages pages = make_pages(count * row_bytes_, disk);
      slabs_.push_back({std::move(pages), capacity_, count, disk});
      capacity_ += count;
      rest -= count;
      missing -= std::min(missing, count);
    }
  } catch (...) {
    slabs_.erase(slabs_.begin() + static_cast<std::ptrdiff_t>(before), slabs_.end());
    capacity_ = capacity;
    throw;
  }
}

const GradientStore::Slab& GradientStore::slab_of(std::size_t row) const {
  const auto after =
      std::upper_bound(slabs_.begin(), slabs_.end(), row,
                       [](std::size_t r, const Slab& slab) { return r < slab.first_row; });
  return *(after - 1);
}

std::size_t GradientStore::append(std::span<const float> rows) {
  // The system gives memory page by page as it is first written, which takes a thread longer than
  // the copy itself; two threads that write to one large page (2 MB) first would both fill it.
  constexpr std::size_t part = 1 << 20;
  constexpr std::size_t piece = 1 << 14;  // stays in the cache between the check and the copy
  const std::size_t count = rows.size() / dimension_;
  if (rows_ + count > capacity_) grow(rows_ + count - capacity_);

  std::atomic<std::size_t> first_bad = rows.size();
  const auto take = [&](std::size_t task, int) {
    const std::size_t last = std::min((task + 1) * part, rows.size());
    for (std::size_t begin = task * part; begin < last && begin < first_bad; begin += piece) {
      const std::size_t end = std::min(begin + piece, last);
      const std::size_t bad =
          begin + row_window_kernels().first_non_finite(rows.data() + begin, end - begin);
      if (bad == end) {
        write(rows, begin, end);
        continue;
      }
      for (std::size_t first = first_bad; bad < first;) {
        if (first_bad.compare_exchange_weak(first, bad)) break;
      }
    }
  };
  const std::size_t tasks = (rows.size() + part - 1) / part;
  if (tasks > 1) {
    ThreadPool(0).run(tasks, take);
  } else {
    take(0, 0);
  }
  if (first_bad == rows.size()) rows_ += count;
  return first_bad;
}

void GradientStore::write(std::span<const float> rows, std::size_t begin, std::size_t end) {
  while (begin < end) {
    const std::size_t row = rows_ + begin / dimension_, column = begin % dimension_;
    const std::size_t count = std::min(end - begin, dimension_ - column);
    const Slab& slab = slab_of(row);
    std::byte* to = slab.pages.data() + (row - slab.first_row) * row_bytes_;
    const float* from = rows.data() + begin;
    if (storage_ == GradientStorage::bfloat16) {
      std::transform(from, from + count, reinterpret_cast<std::uint16_t*>(to) + column,
                     to_bfloat16);
    } else {
      std::memcpy(to + column * sizeof(float), from, count * sizeof(float));
    }
    begin += count;
  }
}

void GradientStore::release() {
  slabs_.clear();
  rows_ = capacity_ = 0;
}

void GradientStore::read(std::size_t first_row, std::size_t rows, std::size_t first_column,
                         std::size_t columns, double* out, std::size_t stride) const {
  const bool halves = storage_ == GradientStorage::bfloat16;
  const std::size_t size = halves ? sizeof(std::uint16_t) : sizeof(float);
  for (std::size_t done = 0; done < rows;) {
    const Slab& slab = slab_of(first_row + done);
    const std::size_t start = first_row + done - slab.first_row;
    const std::size_t count = std::min(rows - done, slab.rows - start);
    for (std::size_t i = 0; i < count; ++i) {
      if (i + ahead < count) {
        prefetch(slab.pages.data() + (start + i + ahead) * row_bytes_ + first_column * size,
                 columns * size);
      }
      widen(slab.pages.data() + (start + i) * row_bytes_, first_column, columns, halves,
            out + (done + i) * stride);
    }
    done += count;
  }
}

std::size_t GradientStore::bytes() const {
  std::size_t sum = 0;
  for (const Slab& slab : slabs_) sum += slab.disk ? 0 : slab.pages.bytes();
  return sum;
}

std::size_t GradientStore::disk_bytes() const {
  std::size_t sum = 0;
  for (const Slab& slab : slabs_) sum += slab.disk ? slab.pages.bytes() : 0;
  return sum;
}

}  // namespace secondorder::mfac
