#include "launch.hpp"
#include "row_window/row_moves.hpp"

namespace secondorder::cuda {

namespace {

constexpr unsigned move_threads = 64;

template <bool into_window>
__global__ void __launch_bounds__(move_threads) move_row(RowMove move) {
  const TileLayout& layout = move.tiles.layout;
  const unsigned block = move.first_block + blockIdx.x;
  const unsigned bytes = layout.row_bytes(block);
  std::byte* in_window = move.tiles.data + layout.offset(block) + move.slot * bytes;
  std::byte* alone = move.row.data + layout.offset_in_row(blockIdx.x);
  const std::byte* from = into_window ? alone : in_window;
  std::byte* to = into_window ? in_window : alone;
  for (unsigned at = threadIdx.x * chunk_bytes; at < bytes; at += move_threads * chunk_bytes) {
    *reinterpret_cast<uint4*>(to + at) = *reinterpret_cast<const uint4*>(from + at);
  }
  if (threadIdx.x != 0 || move.tiles.scales == nullptr || move.row.scales == nullptr) return;
  float& scale = move.tiles.scales[std::size_t{block} * layout.rows + move.slot];
  if (into_window) {
    scale = move.row.scales[blockIdx.x];
  } else {
    move.row.scales[blockIdx.x] = scale;
  }
}

}  // namespace

void launch_store_row(const RowMove& move, cudaStream_t stream) {
  launch(move_row<true>, dim3(move.end_block - move.first_block), dim3(move_threads), 0, stream,
         move);
}

void launch_fetch_row(const RowMove& move, cudaStream_t stream) {
  launch(move_row<false>, dim3(move.end_block - move.first_block), dim3(move_threads), 0, stream,
         move);
}

}  // namespace secondorder::cuda
