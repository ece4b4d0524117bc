// Pass one over float32, bfloat16 and float16 rows. A block of threads keeps a block of columns of
// x in shared memory, as float64; each of its warps multiplies it with eight rows at a time, in
// float64, where the product of two float32 is exact. The eight rows are eight independent 16-byte
// loads of each lane: two blocks of threads on a multiprocessor have up to 64 KB in flight, where
// bandwidth × latency of an H100 asks for about 18.
#include "row_window/products.hpp"
#include "row_window/products_int8.hpp"
#include "row_window/products_kernel.hpp"

namespace secondorder::cuda {

namespace {

/// Four neighbouring columns.
__device__ void load_quad(const double* x, double (&quad)[4]) {
  const auto* pairs = reinterpret_cast<const double2*>(x);
  const double2 low = pairs[0], high = pairs[1];
  quad[0] = low.x, quad[1] = low.y, quad[2] = high.x, quad[3] = high.y;
}

template <class Element, bool candidate_is_x, unsigned vector_count>
struct FloatRows {
  static constexpr bool is_candidate = candidate_is_x;
  static constexpr unsigned vectors = vector_count, height = group_rows<vectors>;
  using Scratch = float;
  struct XBlock {
    alignas(16) double values[vectors][block_columns];  ///< times unit
    double scale[vectors];                              ///< of their products with elements
  };

  __device__ static void load(const ProductsPass& pass, const SingleRow& candidate, unsigned block,
                              XBlock& x, Scratch* scratch) {
    const unsigned first = threadIdx.x * columns_per_thread;
    double values[columns_per_thread];
    for (unsigned v = 0; v < vectors; ++v) {
      load_own(pass, block, v, values);
      if constexpr (is_candidate) round(pass, candidate, block, values, x, scratch);
#pragma unroll
      for (unsigned i = 0; i < columns_per_thread; ++i) {
        x.values[v][first + i] = values[i] * Element::unit;
      }
      if (!is_candidate && threadIdx.x == 0) x.scale[v] = Element::unit;
    }
    __syncthreads();
  }

  /// Rounds a block of the candidate; values become what they were rounded to, but for the scale.
  __device__ static void round(const ProductsPass& pass, const SingleRow& candidate, unsigned block,
                               double (&values)[columns_per_thread], XBlock& x, Scratch* scratch) {
    float scale = 1;
    if constexpr (Element::scaled) scale = Element::scale(largest_magnitude(values, scratch));
    typename Element::Bits bits[columns_per_thread];
#pragma unroll
    for (unsigned i = 0; i < columns_per_thread; ++i) {
      bits[i] = Element::encode(static_cast<float>(values[i]), scale);
      values[i] = static_cast<double>(Element::decode(bits[i]));
    }
    if (threadIdx.x == 0) x.scale[0] = static_cast<double>(scale) * Element::unit;
    if (blockIdx.y == 0) store_own<Element>(candidate, pass.tiles.layout, block, bits, scale);
  }

  __device__ static void products(const std::byte* rows, unsigned stride, unsigned last_row,
                                  const XBlock& x, unsigned lane, double (&products)[vectors]) {
    constexpr unsigned full_stride = block_columns / Element::per_chunk * chunk_bytes;
    double sum[vectors][height] = {};
    if (stride == full_stride && last_row >= height - 1) {
      // All but the last rows and columns: every address is a constant away from the first.
#pragma unroll 1
      for (unsigned chunk = lane; chunk < full_stride / chunk_bytes; chunk += warp_size) {
        add_chunk(
            rows, chunk, x, [](unsigned r) { return r * full_stride; }, sum);
      }
    } else {
      const auto offset = [&](unsigned r) { return (r < last_row ? r : last_row) * stride; };
#pragma unroll 1
      for (unsigned chunk = lane; chunk < stride / chunk_bytes; chunk += warp_size) {
        add_chunk(rows, chunk, x, offset, sum);
      }
    }
#pragma unroll
    for (unsigned v = 0; v < vectors; ++v) products[v] = warp_sums(sum[v], lane);
  }

  /// sum[v][r] += the products of a chunk of the row `offset(r)` bytes on with x[v].
  template <class Offset>
  __device__ static void add_chunk(const std::byte* rows, unsigned chunk, const XBlock& x,
                                   const Offset& offset, double (&sum)[vectors][height]) {
    uint4 data[height];
#pragma unroll
    for (unsigned r = 0; r < height; ++r) {
      data[r] = load_streaming(rows + chunk * chunk_bytes + offset(r));
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
          for (unsigned v = 0; v < vectors; ++v) {
            sum[v][r] = fma(value, factor[v][i], sum[v][r]);
          }
        }
      }
    }
  }

  __device__ static double row_scale(const XBlock& x) { return x.scale[0] / Element::unit; }

  __device__ static double self_product(unsigned row_bytes, const XBlock& x, unsigned lane) {
    double sum[1] = {};
    for (unsigned chunk = lane; chunk < row_bytes / chunk_bytes; chunk += warp_size) {
#pragma unroll
      for (int q = 0; q < Element::per_chunk; q += 4) {
        double factor[4];
        load_quad(&x.values[0][Element::column(chunk, static_cast<unsigned>(q))], factor);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const double value = factor[i] / Element::unit / Element::unit / Element::unit;
          sum[0] = fma(value, factor[i], sum[0]);
        }
      }
    }
    return warp_sums(sum, lane);
  }
};

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

template <bool is_candidate, unsigned vectors>
void launch_storage(Storage storage, const ProductsPass& pass, const SingleRow& candidate,
                    cudaStream_t stream) {
  switch (storage) {
    case Storage::float32:
      return launch_multiply_rows<FloatRows<Float32, is_candidate, vectors>>(pass, candidate,
                                                                             stream);
    case Storage::bfloat16:
      return launch_multiply_rows<FloatRows<Bfloat16, is_candidate, vectors>>(pass, candidate,
                                                                              stream);
    case Storage::float16:
      return launch_multiply_rows<FloatRows<Float16, is_candidate, vectors>>(pass, candidate,
                                                                             stream);
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
