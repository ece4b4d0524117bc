// What a thread adds to the combined rows of its columns, and how it writes them.
#pragma once

#include <cuda_runtime.h>

#include "row_window/combine.hpp"

namespace secondorder::cuda {

/// Columns of a team's 64 threads, 16 bytes each.
inline constexpr unsigned team_threads = 64;
inline constexpr unsigned most_teams = 4;

/// Writes `sum` and the terms without rows at a column; `candidate` is its value there.
__device__ inline void finish_column(const CombinePass& pass, unsigned vector, std::size_t column,
                                     double sum, double candidate) {
  if (pass.x_factor[vector] != 0) {
    sum = fma(pass.x_factor[vector], pass.x[vector][column], sum);
  }
  if (pass.candidate_factor[vector] != 0) {
    sum = fma(pass.candidate_factor[vector], candidate, sum);
  }
  pass.out[vector][column] = static_cast<float>(sum);
}

/// Whether any combination has the candidate in it.
template <unsigned vectors>
__device__ bool reads_candidate(const CombinePass& pass) {
  bool reads = false;
#pragma unroll
  for (unsigned v = 0; v < vectors; ++v) reads = reads || pass.candidate_factor[v] != 0;
  return reads;
}

}  // namespace secondorder::cuda
