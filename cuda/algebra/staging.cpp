#include "staging.hpp"

#include <algorithm>
#include <cstring>

namespace secondorder::cuda {

namespace {

/// Pieces of at most `most` bytes, in the order of the host's memory: some rows, or a part of one.
class Pieces {
 public:
  Pieces(ByteRows all, std::size_t most) : all_(all) {
    if (all_.stride == all_.width) all_ = {all_.device, 1, all_.rows * all_.width, 0};
    if (all_.rows <= 1) all_.stride = all_.width;
    rows_ = std::max<std::size_t>(1, most / std::max<std::size_t>(all_.width, 1));
    width_ = std::min(all_.width, most);
  }
  bool next(ByteRows& piece) {
    if (row_ >= all_.rows || all_.width == 0) return false;
    const bool whole = width_ == all_.width;
    piece.rows = whole ? std::min(rows_, all_.rows - row_) : 1;
    piece.width = whole ? all_.width : std::min(width_, all_.width - column_);
    piece.stride = all_.stride;
    piece.device = all_.device + row_ * all_.stride + column_;
    column_ += piece.width;
    if (column_ == all_.width) {
      column_ = 0;
      row_ += piece.rows;
    }
    return true;
  }

 private:
  ByteRows all_;
  std::size_t rows_, width_, row_ = 0, column_ = 0;
};

}  // namespace

Staging::Staging(std::size_t half_bytes) : half_bytes_(half_bytes), memory_(2 * half_bytes) {
  halves_[0].bytes = memory_.as<std::byte>();
  halves_[1].bytes = halves_[0].bytes + half_bytes_;
}

void Staging::upload(const std::byte* host, ByteRows to, cudaStream_t stream) {
  Pieces pieces(to, half_bytes_);
  ByteRows piece;
  for (std::size_t turn = 0; pieces.next(piece); turn ^= 1U) {
    Half& half = halves_[turn];
    half.copied.wait();
    std::memcpy(half.bytes, host, piece.rows * piece.width);
    host += piece.rows * piece.width;
    check(cudaMemcpy2DAsync(piece.device, piece.stride, half.bytes, piece.width, piece.width,
                            piece.rows, cudaMemcpyHostToDevice, stream),
          "cudaMemcpy2DAsync");
    half.copied.record(stream);
  }
}

void Staging::download(ByteRows from, std::byte* host, cudaStream_t stream) {
  Pieces pieces(from, half_bytes_);
  std::array<std::size_t, 2> waiting{};  // bytes in each half
  const auto unload = [&](std::size_t turn) {
    halves_[turn].copied.wait();
    if (waiting[turn] > 0) std::memcpy(host, halves_[turn].bytes, waiting[turn]);
    host += waiting[turn];
    waiting[turn] = 0;
  };
  ByteRows piece;
  std::size_t turn = 0;
  for (; pieces.next(piece); turn ^= 1U) {
    unload(turn);
    check(cudaMemcpy2DAsync(halves_[turn].bytes, piece.width, piece.device, piece.stride,
                            piece.width, piece.rows, cudaMemcpyDeviceToHost, stream),
          "cudaMemcpy2DAsync");
    halves_[turn].copied.record(stream);
    waiting[turn] = piece.rows * piece.width;
  }
  unload(turn);
  unload(turn ^ 1U);
}

}  // namespace secondorder::cuda
