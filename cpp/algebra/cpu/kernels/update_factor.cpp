// The rank-one update of a Cholesky factor by Givens rotations, four columns at a time. Compiled
// once for each instruction set.
#include <cmath>

#include "algebra/cpu/kernels/row_window_parts.hpp"

namespace secondorder::SECONDORDER_ISA {

namespace {

constexpr std::size_t panel = 4;

struct Rotation {
  double cosine, sine;

  /// (l, x) ← (c·l + s·x, c·x − s·l); returns the new l.
  [[gnu::always_inline]] double turn(double l, double& x) const {
    const double turned = cosine * l + sine * x;
    x = cosine * x - sine * l;
    return turned;
  }
};

}  // namespace

void update_factor(std::size_t n, const double* l, std::size_t l_stride, double* x, double* out,
                   std::size_t out_stride) {
  for (std::size_t first = 0; first < n; first += panel) {
    const std::size_t columns = n - first < panel ? n - first : panel;
    Rotation rotations[panel] = {};
    for (std::size_t p = 0; p < columns; ++p) {
      const std::size_t j = first + p;
      const double pivot = l[j * l_stride + j], radius = std::sqrt(pivot * pivot + x[j] * x[j]);
      rotations[p] = {pivot / radius, x[j] / radius};
      out[j * out_stride + j] = radius;
      for (std::size_t i = j + 1; i < first + columns; ++i) {
        out[j * out_stride + i] = rotations[p].turn(l[j * l_stride + i], x[i]);
      }
    }
    if (columns < panel) return;
    const double *l0 = l + first * l_stride, *l1 = l0 + l_stride, *l2 = l1 + l_stride,
                 *l3 = l2 + l_stride;
    double *o0 = out + first * out_stride, *o1 = o0 + out_stride, *o2 = o1 + out_stride,
           *o3 = o2 + out_stride;
    const Rotation r0 = rotations[0], r1 = rotations[1], r2 = rotations[2], r3 = rotations[3];
#pragma omp simd
    for (std::size_t i = first + panel; i < n; ++i) {
      double xi = x[i];
      o0[i] = r0.turn(l0[i], xi);
      o1[i] = r1.turn(l1[i], xi);
      o2[i] = r2.turn(l2[i], xi);
      o3[i] = r3.turn(l3[i], xi);
      x[i] = xi;
    }
  }
}

}  // namespace secondorder::SECONDORDER_ISA
