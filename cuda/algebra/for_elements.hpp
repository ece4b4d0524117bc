// A kernel over the elements of matrices of one shape, and the launch that fits it to the shape.
#pragma once

#include <algorithm>

#include "algebra/packs.hpp"
#include "launch.hpp"

namespace secondorder::cuda {

/// What is done to rows × cols elements. Matrices without gaps count as one long row.
struct Extent {
  std::size_t rows = 0, cols = 0;
  bool packs = false;  ///< 16 bytes at a time

  /// Of matrices of one shape. None may be read element (i, j) at a time by its place.
  template <class... Reals>
  static Extent flat(const View<Reals>&... views) {
    Extent e = of(views...);
    if (((views.stride == views.cols) && ...)) {
      const std::size_t size = e.rows * e.cols;
      const bool aligned = ((reinterpret_cast<std::uintptr_t>(views.data) % 16 == 0) && ...);
      e = {size > 0 ? std::size_t{1} : 0, size,
           aligned && size % std::min({16 / sizeof(Reals)...}) == 0};
    }
    return e;
  }
  /// Of matrices of one shape, row by row.
  template <class... Reals>
  static Extent of(const View<Reals>&... views) {
    Extent e;
    ((e.rows = views.rows, e.cols = views.cols), ...);
    e.packs = (packable(views) && ...);
    return e;
  }
};

/// function.template apply<width>(i, j) for elements (i, j), …, (i, j + width − 1).
template <int width, class Function>
__global__ void elements(std::size_t rows, std::size_t cols, Function function) {
  const std::size_t j = (std::size_t{blockIdx.x} * blockDim.x + threadIdx.x) * width;
  if (j >= cols) return;
  const std::size_t step = std::size_t{gridDim.y} * blockDim.y;
  for (std::size_t i = std::size_t{blockIdx.y} * blockDim.y + threadIdx.y; i < rows; i += step) {
    function.template apply<width>(i, j);
  }
}

/// Applies `function` to all elements: whole packs of Real where the extent allows, one at a time
/// elsewhere.
template <class Real, class Function>
void for_elements(cudaStream_t stream, const Extent& extent, const Function& function) {
  if (extent.rows == 0 || extent.cols == 0) return;
  constexpr unsigned threads = 256;
  const std::size_t width = extent.packs ? pack_width<Real> : 1;
  const std::size_t columns = (extent.cols + width - 1) / width;
  unsigned across = 1;
  while (across < threads && across < columns) across *= 2;
  const unsigned down = threads / across;
  constexpr std::size_t most_rows_of_blocks = 65535;
  const dim3 grid(
      blocks_for(columns, across),
      static_cast<unsigned>(std::min((extent.rows + down - 1) / down, most_rows_of_blocks)));
  launch(extent.packs ? elements<pack_width<Real>, Function> : elements<1, Function>, grid,
         dim3(across, down), 0, stream, extent.rows, extent.cols, function);
}

}  // namespace secondorder::cuda
