// Pass one over float32, bfloat16 and float16 rows. A block of threads keeps a block of columns of
// x in shared memory, as float64; each of its warps multiplies it with eight rows at a time, in
// float64, where the product of two float32 is exact. The eight rows are eight independent 16-byte
// loads of each lane: with three blocks of threads on a multiprocessor up to 98 KB in flight, where
// bandwidth × latency of an H100 asks for about 18.
#include "launch.hpp"
#include "row_window/pass_block.hpp"
#include "row_window/products.hpp"
#include "row_window/products_int8.hpp"

namespace secondorder::cuda {

namespace {

template <unsigned vectors>
struct XBlock {
  alignas(16) double values[vectors][block_columns];
};

/// Four neighbouring columns.
__device__ void load_quad(const double* x, double (&quad)[4]) {
  const auto* pairs = reinterpret_cast<const double2*>(x);
  const double2 low = pairs[0], high = pairs[1];
  quad[0] = low.x, quad[1] = low.y, quad[2] = high.x, quad[3] = high.y;
}

/// sum[v][r] += row r · x[v] over the columns of the running lane, for the rows of a group: rows
/// after the last one are the last one again.
template <class Element, unsigned vectors>
__device__ void multiply_group(const std::byte* rows, unsigned stride, unsigned last_row,
                               const XBlock<vectors>& x, unsigned lane,
                               double (&sum)[vectors][group_rows<vectors>]) {
  constexpr unsigned height = group_rows<vectors>;
  for (unsigned chunk = lane; chunk < stride / chunk_bytes; chunk += warp_size) {
    uint4 data[height];
#pragma unroll
    for (unsigned r = 0; r < height; ++r) {
      data[r] = load_streaming(rows + (r < last_row ? r : last_row) * stride + chunk * chunk_bytes);
    }
#pragma unroll
    for (int q = 0; q < Element::per_chunk; q += 4) {
      double factor[vectors][4];
#pragma unroll
      for (unsigned v = 0; v < vectors; ++v) {
        load_quad(&x.values[v][Element::column(chunk, static_cast<unsigned>(q))], factor[v]);
      }
#pragma unroll
      for (unsigned r = 0; r < height; ++r) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const double value = Element::widen(data[r], q + i);
#pragma unroll
          for (unsigned v = 0; v < vectors; ++v) sum[v][r] = fma(value, factor[v][i], sum[v][r]);
        }
      }
    }
  }
}

/// x · x, summed as the products of rows are: for a row equal to x it has the same bits.
template <class Element>
__device__ double self_product(unsigned row_bytes, const XBlock<1>& x, unsigned lane) {
  double sum[1] = {};
  for (unsigned chunk = lane; chunk < row_bytes / chunk_bytes; chunk += warp_size) {
#pragma unroll
    for (int q = 0; q < Element::per_chunk; q += 4) {
      double factor[4];
      load_quad(&x.values[0][Element::column(chunk, static_cast<unsigned>(q))], factor);
#pragma unroll
      for (int i = 0; i < 4; ++i) sum[0] = fma(factor[i], factor[i], sum[0]);
    }
  }
  return warp_sums(sum, lane);
}

/// Rounds a block of the candidate; x becomes what it was rounded to, but for the scale.
template <class Element>
__device__ float round_block(const ProductsPass& pass, const SingleRow& candidate,
                             std::size_t block, XBlock<1>& x, float* scratch) {
  double values[columns_per_thread];
  load_own(pass, block, 0, values);
  float scale = 1;
  if constexpr (Element::scaled) scale = Element::scale(largest_magnitude(values, scratch));
  typename Element::Bits bits[columns_per_thread];
#pragma unroll
  for (unsigned i = 0; i < columns_per_thread; ++i) {
    bits[i] = Element::encode(static_cast<float>(values[i]), scale);
    x.values[0][threadIdx.x * columns_per_thread + i] =
        static_cast<double>(Element::decode(bits[i]));
  }
  if (blockIdx.y == 0) store_own<Element>(candidate, pass.tiles.layout, block, bits, scale);
  return scale;
}

template <class Element, bool is_candidate, unsigned vectors>
__global__ void __launch_bounds__(pass_threads, vectors == 1 ? 3 : 2)
    multiply(ProductsPass pass, SingleRow candidate) {
  __shared__ XBlock<vectors> x;
  __shared__ double sums[vectors][most_rows];
  __shared__ float scratch[pass_warps];
  __shared__ double square;
  const TileLayout& layout = pass.tiles.layout;
  const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
  const unsigned first_row = blockIdx.y * pass.rows_per_block;
  const unsigned rows =
      pass.used - first_row < pass.rows_per_block ? pass.used - first_row : pass.rows_per_block;
  // Each warp adds up sums of its own.
  for (unsigned v = 0; v < vectors; ++v) sums[v][threadIdx.x] = 0;
  if (threadIdx.x == 0) square = 0;

  const unsigned begin = pass.first_block + blockIdx.x * pass.blocks_per_task;
  const unsigned end =
      begin + pass.blocks_per_task < pass.end_block ? begin + pass.blocks_per_task : pass.end_block;
  for (unsigned block = begin; block < end; ++block) {
    double x_scale = 1;
    if constexpr (is_candidate) {
      x_scale = static_cast<double>(round_block<Element>(pass, candidate, block, x, scratch));
    } else {
      for (unsigned v = 0; v < vectors; ++v) {
        double values[columns_per_thread];
        load_own(pass, block, v, values);
        for (unsigned i = 0; i < columns_per_thread; ++i) {
          x.values[v][threadIdx.x * columns_per_thread + i] = values[i];
        }
      }
    }
    __syncthreads();
    const unsigned stride = layout.row_bytes(block);
    const std::byte* tile = pass.tiles.block(block) + std::size_t{first_row} * stride;
    constexpr unsigned height = group_rows<vectors>, lanes_per_row = warp_size / height;
    for (unsigned row = warp * height; row < rows; row += pass_warps * height) {
      double sum[vectors][height] = {};
      multiply_group<Element, vectors>(tile + std::size_t{row} * stride, stride, rows - 1 - row, x,
                                       lane, sum);
      const unsigned own = row + lane / lanes_per_row;
      const bool adds = lane % lanes_per_row == 0 && own < rows;
      const double scale = adds ? pass.tiles.scale(block, first_row + own) : 0;
#pragma unroll
      for (unsigned v = 0; v < vectors; ++v) {
        const double total = warp_sums(sum[v], lane);
        if (adds) sums[v][own] = fma(scale, x_scale * total, sums[v][own]);
      }
    }
    if constexpr (is_candidate) {
      if (blockIdx.y == 0 && warp == pass_warps - 1) {
        const double product = self_product<Element>(stride, x, lane);
        if (lane == 0) square = fma(x_scale, x_scale * product, square);
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

constexpr unsigned sum_threads = 32;

/// A block sums 32 entries; each of its rows of threads a run of tasks.
__global__ void __launch_bounds__(sum_threads* sum_threads)
    sum_tasks(const double* sums, std::size_t tasks, std::size_t stride, std::size_t count,
              double* out) {
  __shared__ double parts[sum_threads][sum_threads + 1];
  const std::size_t entry = std::size_t{blockIdx.x} * sum_threads + threadIdx.x;
  const std::size_t run = (tasks + sum_threads - 1) / sum_threads;
  const std::size_t begin = threadIdx.y * run, end = begin + run < tasks ? begin + run : tasks;
  double sum = 0;
  if (entry < count) {
#pragma unroll 8
    for (std::size_t task = begin; task < end; ++task) sum += sums[task * stride + entry];
  }
  parts[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || entry >= count) return;
  for (unsigned part = 1; part < sum_threads; ++part) sum += parts[part][threadIdx.x];
  out[entry] = sum;
}

template <class Element, bool is_candidate, unsigned vectors>
void launch_multiply(const ProductsPass& pass, const SingleRow& candidate, cudaStream_t stream) {
  launch(multiply<Element, is_candidate, vectors>, products_grid(pass), dim3(pass_threads), 0,
         stream, pass, candidate);
}

template <bool is_candidate, unsigned vectors>
void launch_storage(Storage storage, const ProductsPass& pass, const SingleRow& candidate,
                    cudaStream_t stream) {
  switch (storage) {
    case Storage::float32:
      return launch_multiply<Float32, is_candidate, vectors>(pass, candidate, stream);
    case Storage::bfloat16:
      return launch_multiply<Bfloat16, is_candidate, vectors>(pass, candidate, stream);
    case Storage::float16:
      return launch_multiply<Float16, is_candidate, vectors>(pass, candidate, stream);
    case Storage::int8:
      return launch_int8_products<is_candidate, vectors>(pass, candidate, stream);
  }
}

}  // namespace

void launch_products(Storage storage, unsigned vectors, const ProductsPass& pass,
                     cudaStream_t stream) {
  if (vectors == 1) return launch_storage<false, 1>(storage, pass, {}, stream);
  launch_storage<false, vectors_at_once>(storage, pass, {}, stream);
}

void launch_candidate_products(Storage storage, const SingleRow& candidate,
                               const ProductsPass& pass, cudaStream_t stream) {
  launch_storage<true, 1>(storage, pass, candidate, stream);
}

void launch_sum_tasks(const double* sums, std::size_t tasks, std::size_t stride, std::size_t count,
                      double* out, cudaStream_t stream) {
  if (count == 0) return;
  const auto blocks = static_cast<unsigned>((count + sum_threads - 1) / sum_threads);
  launch(sum_tasks, dim3(blocks), dim3(sum_threads, sum_threads), 0, stream, sums, tasks, stride,
         count, out);
}

}  // namespace secondorder::cuda
