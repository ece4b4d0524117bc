// A window as a file: a header with a checksum of its own, so that sizes can be believed before
// memory is taken for them; the mask as bits; rows by slot, as RowWindow exports them; the lower
// triangles of K and, where it is up to date, of the factor; a checksum of everything.
#include <array>
#include <bit>
#include <cstring>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "mfac/fisher_window.hpp"
#include "mfac/window_file.hpp"

namespace secondorder::mfac {

namespace {

constexpr std::array<char, 8> magic{'S', 'O', 'F', 'I', 'S', 'H', 'E', 'R'};
constexpr std::uint32_t newest_version = 1;
/// Read on a machine of the other byte order it is another number.
constexpr std::uint32_t byte_order = 0x01020304;

struct Header {
  std::array<char, 8> kind = magic;
  std::uint32_t version = newest_version;
  std::uint32_t order = byte_order;
  std::uint64_t file_bytes = 0;
  std::uint64_t dimension = 0;
  std::uint64_t capacity = 0;
  std::uint64_t columns = 0;
  std::uint64_t size = 0;
  std::uint64_t oldest = 0;
  std::uint64_t row_bytes = 0;
  double damping = 0;
  std::uint8_t storage = 0;
  std::uint8_t normalize = 0;
  std::uint8_t masked = 0;
  std::uint8_t factored = 0;
  std::uint8_t reserved[4] = {};
};
static_assert(sizeof(Header) == 88, "the header is written as it is in memory");

std::size_t triangle(std::size_t size) { return size * (size + 1) / 2; }

double file_bytes(const Header& header) {
  const std::uint64_t mask_bytes = header.masked != 0 ? (header.dimension + 7) / 8 : 0;
  const double size = static_cast<double>(header.size);
  const double triangles = (header.factored != 0 ? 2 : 1) * size * (size + 1) / 2 * 8;
  return sizeof(Header) + 16.0 + static_cast<double>(mask_bytes) +
         size * static_cast<double>(header.row_bytes) + triangles;
}

void checkpoint(const RunControl& control) {
  if (control.stop_requested()) throw Cancelled{};
}

void check_header(const FileReader& file, const Header& header) {
  const bool sound = header.dimension > 0 && header.capacity > 0 &&
                     header.size <= header.capacity && header.oldest < header.capacity &&
                     header.columns > 0 && header.columns <= header.dimension &&
                     (header.masked != 0 || header.columns == header.dimension) &&
                     header.storage < std::size(EnumNames<Storage>::table) &&
                     header.normalize < std::size(EnumNames<Normalize>::table);
  if (!sound) file.refuse("describes no window");
  if (static_cast<double>(file.bytes()) != file_bytes(header)) {
    file.refuse("has " + std::to_string(file.bytes()) + " bytes, not the " +
                std::to_string(header.file_bytes) + " it was written with");
  }
}

std::vector<std::uint32_t> read_mask(FileReader& file, const Header& header) {
  std::vector<std::uint32_t> active;
  if (header.masked == 0) return active;
  std::vector<std::uint8_t> bits((header.dimension + 7) / 8);
  file.read_all(std::span(bits));
  std::uint64_t count = 0;
  for (const std::uint8_t byte : bits) count += static_cast<std::uint64_t>(std::popcount(byte));
  if (count != header.columns) file.refuse("has a mask that fits no window");
  active.reserve(count);
  for (std::uint64_t j = 0; j < header.dimension; ++j) {
    if ((bits[j / 8] >> (j % 8)) & 1U) active.push_back(static_cast<std::uint32_t>(j));
  }
  return active;
}

}  // namespace

void FisherWindow::save(const std::string& path, const RunControl& control) const {
  refuse_pending();
  Header header;
  header.dimension = options_.dimension;
  header.capacity = options_.capacity;
  header.columns = columns();
  header.size = size_;
  header.oldest = oldest_;
  header.row_bytes = rows_->row_bytes();
  header.damping = options_.damping;
  header.storage = static_cast<std::uint8_t>(options_.storage);
  header.normalize = static_cast<std::uint8_t>(options_.normalize);
  header.masked = options_.active.empty() ? 0 : 1;
  header.factored = factored_ ? 1 : 0;
  header.file_bytes = static_cast<std::uint64_t>(file_bytes(header));

  FileWriter file(path);
  file.put(header);
  file.put_checksum();
  if (!options_.active.empty()) {
    std::vector<std::uint8_t> bits((options_.dimension + 7) / 8);
    for (const std::uint32_t j : options_.active) {
      bits[j / 8] = static_cast<std::uint8_t>(bits[j / 8] | (1U << (j % 8)));
    }
    file.write_all(std::span<const std::uint8_t>(bits));
  }
  std::vector<std::byte> row(rows_->row_bytes());
  for (std::size_t i = 0; i < size_; ++i) {
    checkpoint(control);
    rows_->export_row(i, row);
    file.write(row);
  }
  std::vector<double> products;
  products.reserve(triangle(size_));
  for (std::size_t i = 0; i < size_; ++i) {
    for (std::size_t j = 0; j <= i; ++j) products.push_back(gram_[at(i, j)]);
  }
  file.write_all(std::span<const double>(products));
  if (factored_) file.write_all(std::span<const double>(factor_.triangle()));
  file.put_checksum();
  checkpoint(control);
  file.finish();
}

std::unique_ptr<FisherWindow> FisherWindow::load(const std::string& path, const RunControl& control,
                                                 const MakeRowWindow& make_rows) {
  FileReader file(path);
  if (file.bytes() < sizeof(Header)) file.refuse("is no saved window: it is too short");
  const Header header = file.get<Header>();
  if (header.kind != magic) file.refuse("is no saved window");
  if (header.order != byte_order) file.refuse("was written on a machine of another byte order");
  if (header.version != newest_version) {
    file.refuse("has version " + std::to_string(header.version) + " of the format; known is " +
                std::to_string(newest_version));
  }
  file.check_checksum();
  check_header(file, header);

  FisherWindowOptions options{.dimension = header.dimension,
                              .capacity = header.capacity,
                              .damping = header.damping,
                              .storage = static_cast<Storage>(header.storage),
                              .normalize = static_cast<Normalize>(header.normalize),
                              .active = read_mask(file, header)};
  auto window = std::make_unique<FisherWindow>(std::move(options), make_rows);
  if (window->rows_->row_bytes() != header.row_bytes) file.refuse("has rows of another length");
  window->size_ = header.size;
  window->oldest_ = header.oldest;
  window->factored_ = header.factored != 0;
  std::vector<std::byte> row(header.row_bytes);
  for (std::size_t i = 0; i < header.size; ++i) {
    checkpoint(control);
    file.read(row);
    window->rows_->import_row(i, row);
  }
  std::vector<double> numbers(triangle(header.size));
  file.read_all(std::span(numbers));
  for (std::size_t i = 0, next = 0; i < header.size; ++i) {
    for (std::size_t j = 0; j <= i; ++j, ++next) {
      window->gram_[window->at(i, j)] = window->gram_[window->at(j, i)] = numbers[next];
    }
  }
  if (window->factored_) {
    file.read_all(std::span(numbers));
    window->factor_.load(header.size, numbers);
  }
  file.check_checksum();
  return window;
}

}  // namespace secondorder::mfac
