// Pass one over int8 rows, in exact integers: x as three digits of 15 bits in shared memory, two of
// them in a word, times four bytes of a row by dp2a; a candidate, which is int8 itself, by dp4a.
#include "launch.hpp"
#include "row_window/int8_digits.hpp"
#include "row_window/pass_block.hpp"
#include "row_window/products_int8.hpp"

namespace secondorder::cuda {

namespace {

/// Words of a block of columns, as bytes and as pairs of digits.
constexpr unsigned byte_words = block_columns / 4, pair_words = block_columns / 2;

/// A block of x[v]: scale[v] · Σ digit[d] · 2^(15·d).
template <unsigned vectors>
struct DigitBlock {
  static constexpr int count = digits;
  alignas(16) std::uint32_t pairs[vectors][digits][pair_words];
  double scale[vectors];
};

/// A block of the candidate: scale · byte.
struct ByteBlock {
  static constexpr int count = 1;
  alignas(16) std::uint32_t bytes[byte_words];
  double scale[1];
};

/// sum[v][0][r] of the bytes of a row's chunk.
__device__ void multiply_chunk(const uint4& data, const ByteBlock& x, unsigned, unsigned chunk,
                               int (&sum)[1]) {
#pragma unroll
  for (int w = 0; w < 4; ++w) {
    sum[0] = add_products(word(data, w), x.bytes[chunk * 4 + static_cast<unsigned>(w)], sum[0]);
  }
}

template <unsigned vectors>
__device__ void multiply_chunk(const uint4& data, const DigitBlock<vectors>& x, unsigned vector,
                               unsigned chunk, int (&sum)[digits]) {
#pragma unroll
  for (int d = 0; d < digits; ++d) {
#pragma unroll
    for (int w = 0; w < 4; ++w) {
      const std::uint32_t* pairs = &x.pairs[vector][d][chunk * 8 + static_cast<unsigned>(2 * w)];
      sum[d] = add_digit_products<false>(pairs[0], word(data, w), sum[d]);
      sum[d] = add_digit_products<true>(pairs[1], word(data, w), sum[d]);
    }
  }
}

__device__ double total(const int (&sum)[1]) { return static_cast<double>(sum[0]); }
__device__ double total(const int (&sum)[digits]) { return joined(sum[0], sum[1], sum[2]); }

/// The products of a group of rows with x[v], of row i in lanes [i·32/rows, …).
template <unsigned vectors, class XBlock>
__device__ void multiply_group(const std::byte* rows, unsigned stride, unsigned last_row,
                               const XBlock& x, unsigned lane, double (&products)[vectors]) {
  constexpr unsigned height = group_rows<vectors>;
  int sum[vectors][height][XBlock::count] = {};
  for (unsigned chunk = lane; chunk < stride / chunk_bytes; chunk += warp_size) {
    uint4 data[height];
#pragma unroll
    for (unsigned r = 0; r < height; ++r) {
      data[r] = load_streaming(rows + (r < last_row ? r : last_row) * stride + chunk * chunk_bytes);
    }
#pragma unroll
    for (unsigned v = 0; v < vectors; ++v) {
#pragma unroll
      for (unsigned r = 0; r < height; ++r) multiply_chunk(data[r], x, v, chunk, sum[v][r]);
    }
  }
#pragma unroll
  for (unsigned v = 0; v < vectors; ++v) {
    int totals[XBlock::count];
#pragma unroll
    for (int d = 0; d < XBlock::count; ++d) {
      int rows_of_digit[height];
#pragma unroll
      for (unsigned r = 0; r < height; ++r) rows_of_digit[r] = sum[v][r][d];
      totals[d] = warp_sums(rows_of_digit, lane);
    }
    products[v] = total(totals);
  }
}

__device__ double self_product(unsigned row_bytes, const ByteBlock& x, unsigned lane) {
  int sum[1] = {};
  for (unsigned w = lane; w < row_bytes / 4; w += warp_size) {
    sum[0] = add_products(x.bytes[w], x.bytes[w], sum[0]);
  }
  return static_cast<double>(warp_sums(sum, lane));
}

template <unsigned vectors>
__device__ void load_block(const ProductsPass& pass, const SingleRow&, std::size_t block,
                           DigitBlock<vectors>& x, double* scratch) {
  for (unsigned v = 0; v < vectors; ++v) {
    double values[columns_per_thread];
    load_own(pass, block, v, values);
    const double largest = largest_magnitude(values, scratch);
    const double range = largest > negligible ? split_range / largest : 0;
    Digits parts[columns_per_thread];
#pragma unroll
    for (unsigned i = 0; i < columns_per_thread; ++i) {
      parts[i] = split(rounded_product(values[i], range));
    }
#pragma unroll
    for (int d = 0; d < digits; ++d) {
      x.pairs[v][d][threadIdx.x * 2] = pair_of(parts[0].digit[d], parts[1].digit[d]);
      x.pairs[v][d][threadIdx.x * 2 + 1] = pair_of(parts[2].digit[d], parts[3].digit[d]);
    }
    if (threadIdx.x == 0) x.scale[v] = largest / split_range;
    __syncthreads();  // `scratch` is used again
  }
}

/// Rounds a block of the candidate.
__device__ void load_block(const ProductsPass& pass, const SingleRow& candidate, std::size_t block,
                           ByteBlock& x, double* scratch) {
  double values[columns_per_thread];
  load_own(pass, block, 0, values);
  const auto largest = static_cast<float>(largest_magnitude(values, scratch));
  const float scale = Int8::scale(largest);
  const double inverse = Int8::inverse(scale, largest);
  std::int8_t bytes[columns_per_thread];
  std::uint32_t packed = 0;
#pragma unroll
  for (unsigned i = 0; i < columns_per_thread; ++i) {
    bytes[i] = Int8::encode(static_cast<float>(values[i]), inverse);
    packed |= (static_cast<std::uint32_t>(bytes[i]) & 0xFFU) << (8 * i);
  }
  x.bytes[threadIdx.x] = packed;
  if (threadIdx.x == 0) x.scale[0] = static_cast<double>(scale);
  if (blockIdx.y == 0) store_own<Int8>(candidate, pass.tiles.layout, block, bytes, scale);
  __syncthreads();
}

template <bool is_candidate, unsigned vectors>
__global__ void __launch_bounds__(pass_threads, vectors == 1 ? 3 : 2)
    multiply_int8(ProductsPass pass, SingleRow candidate) {
  using XBlock = std::conditional_t<is_candidate, ByteBlock, DigitBlock<vectors>>;
  __shared__ XBlock x;
  __shared__ double sums[vectors][most_rows];
  __shared__ double scratch[pass_warps], square;
  const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
  const unsigned first_row = blockIdx.y * pass.rows_per_block;
  const unsigned rows =
      pass.used - first_row < pass.rows_per_block ? pass.used - first_row : pass.rows_per_block;
  for (unsigned v = 0; v < vectors; ++v) sums[v][threadIdx.x] = 0;
  if (threadIdx.x == 0) square = 0;

  const unsigned begin = pass.first_block + blockIdx.x * pass.blocks_per_task;
  const unsigned end =
      begin + pass.blocks_per_task < pass.end_block ? begin + pass.blocks_per_task : pass.end_block;
  for (unsigned block = begin; block < end; ++block) {
    load_block(pass, candidate, block, x, scratch);
    const unsigned stride = pass.tiles.layout.row_bytes(block);
    const std::byte* tile = pass.tiles.block(block) + std::size_t{first_row} * stride;
    constexpr unsigned height = group_rows<vectors>, lanes_per_row = warp_size / height;
    for (unsigned row = warp * height; row < rows; row += pass_warps * height) {
      double products[vectors];
      multiply_group<vectors>(tile + std::size_t{row} * stride, stride, rows - 1 - row, x, lane,
                              products);
      const unsigned own = row + lane / lanes_per_row;
      if (lane % lanes_per_row != 0 || own >= rows) continue;
      const double scale = pass.tiles.scale(block, first_row + own);
#pragma unroll
      for (unsigned v = 0; v < vectors; ++v) {
        sums[v][own] = fma(scale, x.scale[v] * products[v], sums[v][own]);
      }
    }
    if constexpr (is_candidate) {
      if (blockIdx.y == 0 && warp == pass_warps - 1) {
        const double product = self_product(stride, x, lane);
        if (lane == 0) square = fma(x.scale[0], x.scale[0] * product, square);
      }
    }
    __syncthreads();
  }

  const std::size_t task = std::size_t{begin / pass.blocks_per_task} * vectors;
  constexpr unsigned before = is_candidate ? 1 : 0;
  if (threadIdx.x < rows) {
    for (unsigned v = 0; v < vectors; ++v) {
      pass.sums[(task + v) * pass.sums_stride + before + first_row + threadIdx.x] =
          sums[v][threadIdx.x];
    }
  }
  if (is_candidate && blockIdx.y == 0 && threadIdx.x == 0) {
    pass.sums[task * pass.sums_stride] = square;
  }
}

}  // namespace

template <bool is_candidate, unsigned vectors>
void launch_int8_products(const ProductsPass& pass, const SingleRow& candidate,
                          cudaStream_t stream) {
  launch(multiply_int8<is_candidate, vectors>, products_grid(pass), dim3(pass_threads), 0, stream,
         pass, candidate);
}

template void launch_int8_products<true, 1>(const ProductsPass&, const SingleRow&, cudaStream_t);
template void launch_int8_products<false, 1>(const ProductsPass&, const SingleRow&, cudaStream_t);
template void launch_int8_products<false, vectors_at_once>(const ProductsPass&, const SingleRow&,
                                                           cudaStream_t);

}  // namespace secondorder::cuda
