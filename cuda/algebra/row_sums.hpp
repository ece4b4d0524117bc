// Sums over the gates of a tile of activations, a warp for each sample: the end of every product
// that predicts.
#pragma once

#include "algebra/gate_columns.hpp"
#include "algebra/packs.hpp"
#include "algebra/reductions.hpp"
#include "launch.hpp"

namespace secondorder::cuda {

/// What a gate adds to a prediction.
enum class Activation { gated /* D∘w */, relu /* relu(w), and the cones' sums beside it */ };

/// Sums per sample: Σ relu(−E∘w)² and Σ w².
using RowConeSums = double2;

inline constexpr unsigned rows_per_block = 8;

/// out (rows × c) = [fresh ? 0 : out] + sign·(sums over the tile's gates). Lanes take neighbouring
/// columns: 32/c gates of c outputs, or one gate of 32 outputs at a time where c is larger. With
/// `width` > 1 there is one output, and tiles start at whole words of gates.
template <Activation activation, int width, class Real>
__global__ void row_sums(GateColumns columns, ConstView<Real> w, Real sign, bool fresh,
                         View<Real> out, RowConeSums* cones) {
  const std::size_t row = std::size_t{blockIdx.x} * rows_per_block + threadIdx.y;
  if (row >= w.rows) return;
  const unsigned lane = threadIdx.x, outputs = columns.outputs(), first = columns.first_gate();
  const unsigned gates = static_cast<unsigned>(w.cols) / outputs;
  Real violation = 0, total = 0;
  for (unsigned from = 0; from < outputs; from += 32) {
    const unsigned taken = outputs - from < 32 ? outputs - from : 32, groups = 32 / taken;
    const unsigned group = lane / taken, output = from + lane % taken;
    Real sum = 0;
    if (group < groups) {
#pragma unroll 4
      for (unsigned gate = group * width; gate < gates; gate += groups * width) {
        const Pack<Real, width> pack = load<width>(w.row(row) + gate * outputs + output);
        const std::uint64_t bits = columns.bits(row, first + gate);
#pragma unroll
        for (int k = 0; k < width; ++k) {
          const Real value = pack.at[k];
          const bool open = ((bits >> k) & 1U) != 0;
          if constexpr (activation == Activation::gated) {
            sum += open ? value : Real(0);
          } else {
            const Real outside = open ? -value : value;
            sum += value > 0 ? value : Real(0);
            violation += outside > 0 ? outside * outside : Real(0);
            total += value * value;
          }
        }
      }
    }
    unsigned span = 1;
    while (span < groups) span *= 2;
    double prediction = sum;
    for (unsigned step = span / 2; step > 0; step /= 2) {
      const double other = __shfl_down_sync(0xFFFFFFFFU, prediction, step * taken);
      if (group < step && group + step < groups) prediction += other;
    }
    if (group == 0) {
      Real& place = out.row(row)[output];
      place = (fresh ? Real(0) : place) + sign * static_cast<Real>(prediction);
    }
  }
  if constexpr (activation == Activation::relu) {
    const double all_violation = warp_sum(static_cast<double>(violation));
    const double all_total = warp_sum(static_cast<double>(total));
    if (lane == 0) {
      const RowConeSums before = fresh ? RowConeSums{0, 0} : cones[row];
      cones[row] = {before.x + all_violation, before.y + all_total};
    }
  }
}

template <Activation activation, class Real>
void sum_rows(cudaStream_t stream, const GateColumns& columns, std::size_t outputs,
              ConstView<Real> w, Real sign, bool fresh, View<Real> out, RowConeSums* cones) {
  constexpr int wide = pack_width<Real>;
  const bool packs = outputs == 1 && packable(w);
  launch(packs ? row_sums<activation, wide, Real> : row_sums<activation, 1, Real>,
         blocks_for(w.rows, rows_per_block), dim3(32, rows_per_block), 0, stream, columns, w, sign,
         fresh, out, cones);
}

}  // namespace secondorder::cuda
