// Pass one over int8 rows, in exact integers: x as three digits of 15 bits in shared memory, two of
// them in a word, times four bytes of a row by dp2a; a candidate, which is int8 itself, by dp4a.
#include <type_traits>

#include "row_window/int8_digits.hpp"
#include "row_window/products_int8.hpp"
#include "row_window/products_kernel.hpp"

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

/// sum += the products of 16 columns of a row with x.
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

template <bool candidate_is_x, unsigned vector_count>
struct Int8Rows {
  static constexpr bool is_candidate = candidate_is_x;
  static constexpr unsigned vectors = vector_count, height = group_rows<vectors>;
  using Scratch = double;
  using XBlock = std::conditional_t<is_candidate, ByteBlock, DigitBlock<vectors>>;

  __device__ static void load(const ProductsPass& pass, const SingleRow& candidate, unsigned block,
                              XBlock& x, Scratch* scratch) {
    load_block(pass, candidate, block, x, scratch);
  }

  __device__ static void products(const std::byte* rows, unsigned stride, unsigned last_row,
                                  const XBlock& x, unsigned lane, double (&products)[vectors]) {
    int sum[vectors][height][XBlock::count] = {};
    for (unsigned chunk = lane; chunk < stride / chunk_bytes; chunk += warp_size) {
      uint4 data[height];
#pragma unroll
      for (unsigned r = 0; r < height; ++r) {
        const unsigned row = r < last_row ? r : last_row;
        data[r] = load_streaming(rows + row * stride + chunk * chunk_bytes);
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

  __device__ static double row_scale(const XBlock& x) { return x.scale[0]; }

  __device__ static double self_product(unsigned row_bytes, const XBlock& x, unsigned lane) {
    int sum[1] = {};
    for (unsigned w = lane; w < row_bytes / 4; w += warp_size) {
      sum[0] = add_products(x.bytes[w], x.bytes[w], sum[0]);
    }
    return static_cast<double>(warp_sums(sum, lane));
  }
};

}  // namespace

template <bool is_candidate, unsigned vectors>
void launch_int8_products(const ProductsPass& pass, const SingleRow& candidate,
                          cudaStream_t stream) {
  launch_multiply_rows<Int8Rows<is_candidate, vectors>>(pass, candidate, stream);
}

template void launch_int8_products<true, 1>(const ProductsPass&, const SingleRow&, cudaStream_t);
template void launch_int8_products<false, 1>(const ProductsPass&, const SingleRow&, cudaStream_t);
template void launch_int8_products<false, vectors_at_once>(const ProductsPass&, const SingleRow&,
                                                           cudaStream_t);

}  // namespace secondorder::cuda
