// Pass two over int8 rows, in exact integers: coefficients times scales are split into digits of 15
// bits for up to 1,024 rows at a time; the bytes of two rows are interleaved, and multiplied with a
// pair of digits by dp2a. A thread has 16 columns of one combination, or 4 of four.
#include "launch.hpp"
#include "row_window/block_reduction.hpp"
#include "row_window/combine_block.hpp"
#include "row_window/combine_int8.hpp"
#include "row_window/int8_digits.hpp"

namespace secondorder::cuda {

namespace {

constexpr unsigned group_rows = 8;
constexpr unsigned most_threads = team_threads * most_teams;

template <unsigned vectors>
constexpr unsigned thread_words = vectors == 1 ? 4 : 1;
/// Threads that have the columns of a block.
template <unsigned vectors>
constexpr unsigned block_threads = block_columns / 4 / thread_words<vectors>;

/// The columns of a thread in a row.
__device__ inline void load_words(const std::byte* from, std::uint32_t (&words)[4]) {
  const uint4 chunk = load_streaming(from);
  words[0] = chunk.x, words[1] = chunk.y, words[2] = chunk.z, words[3] = chunk.w;
}
__device__ inline void load_words(const std::byte* from, std::uint32_t (&words)[1]) {
  words[0] = *reinterpret_cast<const std::uint32_t*>(from);
}

/// Coefficient digits of a pair of rows in each word.
template <unsigned vectors>
struct Coefficients {
  std::uint32_t pairs[vectors][digits][integer_sum_rows / 2];
  double unit[vectors];  ///< of the lowest digit
};

/// Splits coefficients × scales of rows [first, first + count); digits up to a whole group are 0.
template <unsigned vectors>
__device__ void split_coefficients(const CombinePass& pass, unsigned block, unsigned first,
                                   unsigned count, Coefficients<vectors>& to, double* scratch) {
  for (unsigned v = 0; v < vectors; ++v) {
    const double* coefficients = pass.coefficients + pass.coefficients_of[v] + first;
    const auto scaled = [&](unsigned i) {
      return i < count ? coefficients[i] * pass.tiles.scale(block, first + i) : 0;
    };
    double largest = 0;
    for (unsigned i = threadIdx.x; i < count; i += blockDim.x) {
      const double size = fabs(scaled(i));
      largest = size > largest ? size : largest;
    }
    for (int distance = warp_size / 2; distance > 0; distance /= 2) {
      const double other = __shfl_xor_sync(all_lanes, largest, distance);
      largest = other > largest ? other : largest;
    }
    if (threadIdx.x % warp_size == 0) scratch[threadIdx.x / warp_size] = largest;
    __syncthreads();
    for (unsigned w = 0; w < blockDim.x / warp_size; ++w) {
      largest = scratch[w] > largest ? scratch[w] : largest;
    }
    const double range = largest > negligible ? split_range / largest : 0;
    const unsigned pairs = (count + group_rows - 1) / group_rows * (group_rows / 2);
    for (unsigned p = threadIdx.x; p < pairs; p += blockDim.x) {
      const Digits even = split(rounded_product(scaled(2 * p), range));
      const Digits odd = split(rounded_product(scaled(2 * p + 1), range));
#pragma unroll
      for (int d = 0; d < digits; ++d) to.pairs[v][d][p] = pair_of(even.digit[d], odd.digit[d]);
    }
    if (threadIdx.x == 0) to.unit[v] = largest > negligible ? largest / split_range : 0;
    __syncthreads();
  }
}

/// sum[v][d][column] += the digits of a group of rows times its bytes.
template <unsigned vectors, unsigned words>
__device__ void add_group(const std::byte* rows, unsigned stride, unsigned last_row,
                          const Coefficients<vectors>& coefficients, unsigned first_pair,
                          int (&sum)[vectors][digits][4 * words]) {
  std::uint32_t data[group_rows][words];
#pragma unroll
  for (unsigned r = 0; r < group_rows; ++r) {
    load_words(rows + (r < last_row ? r : last_row) * stride, data[r]);
  }
#pragma unroll
  for (unsigned p = 0; p < group_rows / 2; ++p) {
#pragma unroll
    for (unsigned w = 0; w < words; ++w) {
      const std::uint32_t low = interleaved<false>(data[2 * p][w], data[2 * p + 1][w]);
      const std::uint32_t high = interleaved<true>(data[2 * p][w], data[2 * p + 1][w]);
#pragma unroll
      for (unsigned v = 0; v < vectors; ++v) {
#pragma unroll
        for (int d = 0; d < digits; ++d) {
          const std::uint32_t pair = coefficients.pairs[v][d][first_pair + p];
          int* to = &sum[v][d][4 * w];
          to[0] = add_digit_products<false>(pair, low, to[0]);
          to[1] = add_digit_products<true>(pair, low, to[1]);
          to[2] = add_digit_products<false>(pair, high, to[2]);
          to[3] = add_digit_products<true>(pair, high, to[3]);
        }
      }
    }
  }
}

template <unsigned vectors>
__global__ void __launch_bounds__(most_threads, vectors == 1 ? 1 : 2)
    combine_int8_rows(CombinePass pass) {
  constexpr unsigned words = thread_words<vectors>, columns = 4 * words;
  constexpr unsigned threads = block_threads<vectors>;
  __shared__ Coefficients<vectors> coefficients;
  __shared__ int team_sums[digits * columns][threads];  // of one combination
  __shared__ double scratch[most_threads / warp_size];
  const TileLayout& layout = pass.tiles.layout;
  const unsigned block = pass.first_block + blockIdx.x;
  const unsigned thread = threadIdx.x % threads, team = threadIdx.x / threads;
  const unsigned teams = blockDim.x / threads;
  const unsigned stride = layout.row_bytes(block);
  const bool has_columns = thread * columns < stride;
  const std::byte* rows = pass.tiles.block(block) + thread * columns;

  double total[vectors][columns] = {};
  for (unsigned first = 0; first < pass.used; first += integer_sum_rows) {
    const unsigned left = pass.used - first;
    const unsigned count = left < integer_sum_rows ? left : integer_sum_rows;
    split_coefficients(pass, block, first, count, coefficients, scratch);
    int sum[vectors][digits][columns] = {};
    if (has_columns) {
      for (unsigned row = team * group_rows; row < count; row += teams * group_rows) {
        add_group<vectors, words>(rows + std::size_t{first + row} * stride, stride, count - 1 - row,
                                  coefficients, row / 2, sum);
      }
    }
#pragma unroll
    for (unsigned v = 0; v < vectors; ++v) {
      for (unsigned other = 1; other < teams; ++other) {
#pragma unroll
        for (unsigned i = 0; i < digits * columns; ++i) {
          if (team == other) team_sums[i][thread] = sum[v][i / columns][i % columns];
        }
        __syncthreads();
#pragma unroll
        for (unsigned i = 0; i < digits * columns; ++i) {
          if (team == 0) sum[v][i / columns][i % columns] += team_sums[i][thread];
        }
        __syncthreads();
      }
#pragma unroll
      for (unsigned i = 0; i < columns; ++i) {
        total[v][i] = fma(coefficients.unit[v], joined(sum[v][0][i], sum[v][1][i], sum[v][2][i]),
                          total[v][i]);
      }
    }
    __syncthreads();  // the coefficients are split anew
  }
  if (team != 0 || !has_columns) return;

  const bool with_candidate = reads_candidate<vectors>(pass);
  const auto* bytes = reinterpret_cast<const std::int8_t*>(
      pass.candidate.data + layout.offset_in_row(block) + thread * columns);
  const double scale = with_candidate ? static_cast<double>(pass.candidate.scales[block]) : 0;
  const std::size_t first_column = std::size_t{block - pass.first_block} * block_columns;
#pragma unroll
  for (unsigned i = 0; i < columns; ++i) {
    const unsigned column = thread * columns + i;
    if (column >= layout.columns(block)) break;
    const double candidate = with_candidate ? scale * bytes[i] : 0;
#pragma unroll
    for (unsigned v = 0; v < vectors; ++v) {
      if (pass.out[v] == nullptr) continue;
      finish_column(pass, v, first_column + column, total[v][i], candidate);
    }
  }
}

}  // namespace

template <unsigned vectors>
void launch_int8_combine(const CombinePass& pass, cudaStream_t stream) {
  const unsigned teams = vectors == 1 ? pass.teams : 1;
  launch(combine_int8_rows<vectors>, dim3(pass.end_block - pass.first_block),
         dim3(block_threads<vectors> * teams), 0, stream, pass);
}

template void launch_int8_combine<1>(const CombinePass&, cudaStream_t);
template void launch_int8_combine<vectors_at_once>(const CombinePass&, cudaStream_t);

}  // namespace secondorder::cuda
