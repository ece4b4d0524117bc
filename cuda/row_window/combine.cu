// Pass two over float32, bfloat16 and float16 rows. A thread has the 4 or 8 columns of a 16-byte
// chunk, and adds up row after row in float64, eight independent loads at a time. 64 threads are a
// team; where there are too few columns to keep the device busy, several teams share the rows, and
// their sums are added in order.
#include "launch.hpp"
#include "row_window/combine.hpp"
#include "row_window/combine_block.hpp"
#include "row_window/combine_int8.hpp"
#include "row_window/elements.hpp"

namespace secondorder::cuda {

namespace {

/// Rows that are loaded at a time: as many as there are registers for.
template <unsigned vectors>
constexpr unsigned group_rows = vectors == 1 ? 8 : 4;

template <class Element>
constexpr unsigned block_chunks = block_columns / Element::per_chunk;

/// sum[v] += Σ factor[v][r] · row r over a group of rows; rows after the last one are the last one
/// again, and their factors 0.
template <class Element, unsigned vectors, unsigned rows_at_once, bool whole>
__device__ void add_group(const std::byte* rows, unsigned stride, unsigned last_row,
                          const double (&factor)[vectors][rows_at_once], unsigned first,
                          double (&sum)[vectors][Element::per_chunk]) {
  constexpr unsigned height = group_rows<vectors>;
  uint4 data[height];
#pragma unroll
  for (unsigned r = 0; r < height; ++r) {
    data[r] = load_streaming(rows + (whole || r < last_row ? r : last_row) * stride);
  }
#pragma unroll
  for (unsigned r = 0; r < height; ++r) {
#pragma unroll
    for (int i = 0; i < Element::per_chunk; ++i) {
      const double value = Element::widen(data[r], i);
#pragma unroll
      for (unsigned v = 0; v < vectors; ++v)
        sum[v][i] = fma(value, factor[v][first + r], sum[v][i]);
    }
  }
}

template <class Element, unsigned vectors>
__global__ void __launch_bounds__(team_threads* most_teams, vectors == 1 ? 3 : 2)
    combine_rows(CombinePass pass) {
  constexpr unsigned per_chunk = Element::per_chunk, rows_at_once = per_chunk * team_threads;
  constexpr unsigned slices = block_chunks<Element> / team_threads;
  // The coefficients of some rows, times their scales and the unit; then the sums of a team.
  __shared__ union {
    double factor[vectors][rows_at_once];
    double sum[vectors * per_chunk][team_threads];
  } shared;
  const TileLayout& layout = pass.tiles.layout;
  const unsigned block = pass.first_block + blockIdx.x / slices;
  const unsigned thread = threadIdx.x % team_threads, team = threadIdx.x / team_threads;
  const unsigned chunk = blockIdx.x % slices * team_threads + thread;
  const unsigned stride = layout.row_bytes(block);
  const bool has_columns = chunk < stride / chunk_bytes;

  double sum[vectors][per_chunk] = {};
  for (unsigned first = 0; first < pass.used; first += rows_at_once) {
    const unsigned count = pass.used - first < rows_at_once ? pass.used - first : rows_at_once;
    for (unsigned i = threadIdx.x; i < rows_at_once; i += blockDim.x) {
      const double scale = i < count ? pass.tiles.scale(block, first + i) : 0;
#pragma unroll
      for (unsigned v = 0; v < vectors; ++v) {
        const double* coefficients = pass.coefficients + pass.coefficients_of[v];
        shared.factor[v][i] = i < count ? coefficients[first + i] * scale * Element::unit : 0;
      }
    }
    __syncthreads();
    if (has_columns) {
      const std::byte* rows =
          pass.tiles.block(block) + std::size_t{first} * stride + chunk * chunk_bytes;
      constexpr unsigned height = group_rows<vectors>;
      for (unsigned row = team * height; row < count; row += pass.teams * height) {
        const std::byte* group = rows + std::size_t{row} * stride;
        if (row + height <= count) {
          add_group<Element, vectors, rows_at_once, true>(group, stride, 0, shared.factor, row,
                                                          sum);
        } else {
          add_group<Element, vectors, rows_at_once, false>(group, stride, count - 1 - row,
                                                           shared.factor, row, sum);
        }
      }
    }
    __syncthreads();
  }

  for (unsigned other = 1; other < pass.teams; ++other) {
#pragma unroll
    for (unsigned v = 0; v < vectors; ++v) {
#pragma unroll
      for (unsigned i = 0; i < per_chunk; ++i) {
        if (team == other) shared.sum[v * per_chunk + i][thread] = sum[v][i];
      }
    }
    __syncthreads();
#pragma unroll
    for (unsigned v = 0; v < vectors; ++v) {
#pragma unroll
      for (unsigned i = 0; i < per_chunk; ++i) {
        if (team == 0) sum[v][i] += shared.sum[v * per_chunk + i][thread];
      }
    }
    __syncthreads();
  }
  if (team != 0 || !has_columns) return;

  uint4 candidate = {};
  double scale = 1;
  if (reads_candidate<vectors>(pass)) {
    candidate = *reinterpret_cast<const uint4*>(pass.candidate.data + layout.offset_in_row(block) +
                                                chunk * chunk_bytes);
    if (Element::scaled) scale = static_cast<double>(pass.candidate.scales[block]);
  }
  const std::size_t first_column = std::size_t{block - pass.first_block} * block_columns;
#pragma unroll
  for (unsigned v = 0; v < vectors; ++v) {
    if (pass.out[v] == nullptr) continue;
#pragma unroll
    for (unsigned i = 0; i < per_chunk; ++i) {
      const unsigned column = Element::column(chunk, i);
      if (column >= layout.columns(block)) continue;
      const double value = Element::widen(candidate, static_cast<int>(i)) * Element::unit;
      finish_column(pass, v, first_column + column, sum[v][i] * Element::unit,
                    scale * (value * Element::unit));
    }
  }
}

template <class Element, unsigned vectors>
void launch_rows(const CombinePass& pass, cudaStream_t stream) {
  const unsigned slices = block_chunks<Element> / team_threads;
  launch(combine_rows<Element, vectors>, dim3((pass.end_block - pass.first_block) * slices),
         dim3(team_threads * pass.teams), 0, stream, pass);
}

template <unsigned vectors>
void launch_storage(Storage storage, const CombinePass& pass, cudaStream_t stream) {
  switch (storage) {
    case Storage::float32:
      return launch_rows<Float32, vectors>(pass, stream);
    case Storage::bfloat16:
      return launch_rows<Bfloat16, vectors>(pass, stream);
    case Storage::float16:
      return launch_rows<Float16, vectors>(pass, stream);
    case Storage::int8:
      return launch_int8_combine<vectors>(pass, stream);
  }
}

}  // namespace

unsigned combine_teams(Storage storage, std::size_t blocks) {
  // Teams of 64 threads that an H100 holds at a time: 132 multiprocessors × 12.
  constexpr std::size_t device_teams = 1584;
  const std::size_t slices = block_columns * element_bytes(storage) / chunk_bytes / team_threads;
  unsigned teams = 1;
  while (teams < most_teams && blocks * slices * teams < device_teams) teams *= 2;
  return teams;
}

void launch_combine(Storage storage, unsigned vectors, const CombinePass& pass,
                    cudaStream_t stream) {
  if (vectors == 1) return launch_storage<1>(storage, pass, stream);
  launch_storage<vectors_at_once>(storage, pass, stream);
}

}  // namespace secondorder::cuda
