// Pass two, Gᵀ·c: several combinations of rows share one reading of the window.
#pragma once

#include <cuda_runtime.h>

#include "row_window/products.hpp"
#include "row_window/tile_layout.hpp"

namespace secondorder::cuda {

/// out[v] = x_factor·x + Σ coefficients[i]·row i + candidate_factor·candidate, rounded to float32,
/// over the columns of blocks [first_block, end_block).
struct CombinePass {
  Tiles tiles;
  SingleRow candidate;
  unsigned used;
  unsigned first_block, end_block;
  const double* coefficients;
  std::size_t coefficients_of[vectors_at_once];  ///< where in them a vector's begin
  DeviceVector x[vectors_at_once];   ///< beginning with first_block's first column, as `out` does
  double x_factor[vectors_at_once];  ///< 0: x is not read
  double candidate_factor[vectors_at_once];
  float* out[vectors_at_once];  ///< null where there is no such vector
  unsigned teams;               ///< of threads, each of which takes its share of the rows: 1, 2, 4
};

/// Teams that keep a device busy, from the shape alone: the fewer blocks there are, the more teams.
unsigned combine_teams(Storage storage, std::size_t blocks);

void launch_combine(Storage storage, unsigned vectors, const CombinePass& pass,
                    cudaStream_t stream);

}  // namespace secondorder::cuda
