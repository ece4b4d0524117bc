// Inner loops over gated rows. Compiled once for each instruction set (SECONDORDER_ISA): nothing
// here may be shared with another translation unit, so all helpers are static.
#include <cmath>
#include <cstring>

#include "algebra/cpu/kernels.hpp"

namespace secondorder::SECONDORDER_ISA {

namespace {

template <class Real>
void expand_mask(const std::uint64_t* words, std::size_t gates, std::size_t repeat, Real* mask) {
  if (repeat == 1) {
    const std::size_t whole = gates / 64;
    for (std::size_t w = 0; w < whole; ++w) {
      const std::uint64_t bits = words[w];
#pragma omp simd
      for (std::size_t i = 0; i < 64; ++i) mask[w * 64 + i] = static_cast<Real>((bits >> i) & 1U);
    }
    for (std::size_t i = whole * 64; i < gates; ++i) {
      mask[i] = static_cast<Real>((words[i / 64] >> (i % 64)) & 1U);
    }
    return;
  }
  for (std::size_t i = 0; i < gates; ++i) {
    const Real bit = static_cast<Real>((words[i / 64] >> (i % 64)) & 1U);
    for (std::size_t o = 0; o < repeat; ++o) mask[i * repeat + o] = bit;
  }
}

template <class Real>
void signed_magnitude(const Real* mask, const Real* q, std::size_t count, Real* y) {
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) y[j] = (2 * mask[j] - 1) * (q[j] < 0 ? -q[j] : q[j]);
}

template <class Real>
void signed_multiplier(const Real* mask, const Real* q, std::size_t count, Real* y) {
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) y[j] = (2 * mask[j] - 1) * (q[j] < 0 ? -q[j] : Real(0));
}

template <class Real>
void cone_relax(const Real* mask, const Real* w, Real relaxation, std::size_t count, Real* q) {
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) {
    const Real s = q[j] > 0 ? q[j] : Real(0);
    q[j] += relaxation * ((2 * mask[j] - 1) * w[j] - s);
  }
}

template <class Real>
double network_row(const Real* mask, const Real* w, std::size_t count, double* violation,
                   double* total) {
  Real sum = 0, out = 0, all = 0;
#pragma omp simd reduction(+ : sum, out, all)
  for (std::size_t j = 0; j < count; ++j) {
    const Real e = (1 - 2 * mask[j]) * w[j];
    const Real v = e > 0 ? e : Real(0);
    sum += w[j] > 0 ? w[j] : Real(0);
    out += v * v;
    all += w[j] * w[j];
  }
  *violation += out;
  *total += all;
  return sum;
}

template <class Real>
void gate_overlap(const std::uint64_t* row, GateBits gates, std::size_t count, Real scale,
                  Real* m) {
  const std::size_t words = gates.stride();
  for (std::size_t l = 0; l < count; ++l) {
    const std::uint64_t* other = gates.words + l * words;
    int open = 0;
    for (std::size_t w = 0; w < words; ++w) open += __builtin_popcountll(row[w] & other[w]);
    m[l] *= scale * static_cast<Real>(open);
  }
}

template <class Real>
Real dot(const Real* a, const Real* b, std::size_t count) {
  Real sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t j = 0; j < count; ++j) sum += a[j] * b[j];
  return sum;
}

template <class Real>
double dot_double(const Real* a, const Real* b, std::size_t count) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t j = 0; j < count; ++j) {
    sum += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  }
  return sum;
}

template <class Real>
void rectify(std::size_t count, Real* a) {
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) a[j] = a[j] > 0 ? a[j] : Real(0);
}

template <class Real>
void pass_open(const Real* w, Real scale, std::size_t count, Real* z) {
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) z[j] = z[j] > 0 ? scale * w[j] : Real(0);
}

template <class Real>
void scaled_copy(Real a, const Real* x, std::size_t count, Real* y) {
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) y[j] = a * x[j];
}

template <class Real>
void reflect(const Real* p, Real shrink, const Real* g, Real weight, const Real* scale,
             std::size_t count, Real* v, Real* b) {
  if (g == nullptr) {
#pragma omp simd
    for (std::size_t j = 0; j < count; ++j) {
      const Real threshold = shrink * p[j];
      v[j] = threshold;
      b[j] = scale[j] * (2 * threshold - p[j]);
    }
    return;
  }
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) {
    const Real threshold = shrink * p[j];
    v[j] = threshold;
    b[j] = scale[j] * (2 * threshold - p[j] + weight * g[j]);
  }
}

template <class Real>
void relax(const Real* t, Real sign, const Real* v, Real relaxation, std::size_t count, Real* b,
           Real* p) {
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) {
    const Real u = b[j] + sign * t[j];
    b[j] = u;
    p[j] += relaxation * (u - v[j]);
  }
}

// --- gate tables: products with bits by sums over their nibbles
// ------------------------------------ 32 gates at a time: each of their 8 nibbles has a table of
// the 16 partial sums of its four rows, panel_width columns wide (32 KiB in all, which stay in the
// first-level cache). A product then costs one load and one addition for every four gates, where a
// dense one has four multiplications.

constexpr std::size_t nibbles = 8;

#if defined(__AVX512F__)
constexpr std::size_t register_bytes = 64;
#elif defined(__AVX2__)
constexpr std::size_t register_bytes = 32;
#else
constexpr std::size_t register_bytes = 16;
#endif
template <class Real>
using Register [[gnu::vector_size(register_bytes)]] = Real;

/// One row of a panel, held in registers.
template <class Real>
struct Panel {
  static constexpr std::size_t count = panel_width<Real> * sizeof(Real) / register_bytes;
  static constexpr std::size_t lanes = register_bytes / sizeof(Real);
  Register<Real> part[count];

  void load(const Real* from) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(&part[i], from + i * lanes, register_bytes);
    }
  }
  void store(Real* to) const {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(to + i * lanes, &part[i], register_bytes);
    }
  }
  /// Adds an aligned row.
  void add(const Real* row) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < count; ++i) {
      part[i] += *reinterpret_cast<const Register<Real>*>(row + i * lanes);
    }
  }
};

template <class Real>
struct alignas(64) Tables {
  Real entry[nibbles][16][panel_width<Real>];
};

template <class Real>
void fill_tables(const Real* w, std::size_t stride, std::size_t valid_rows,
                 std::size_t valid_columns, Tables<Real>& tables) {
  constexpr std::size_t width = panel_width<Real>;
  for (std::size_t g = 0; g < nibbles; ++g) {
    alignas(64) Real rows[4][width];
    for (std::size_t b = 0; b < 4; ++b) {
      const std::size_t row = g * 4 + b;
      const std::size_t valid = row < valid_rows ? valid_columns : 0;
      if (valid > 0) std::memcpy(rows[b], w + row * stride, valid * sizeof(Real));
      for (std::size_t j = valid; j < width; ++j) rows[b][j] = 0;
    }
    std::memset(tables.entry[g][0], 0, sizeof tables.entry[g][0]);
    for (unsigned m = 1; m < 16; ++m) {
      const unsigned lowest = static_cast<unsigned>(__builtin_ctz(m));
      const Real* rest = tables.entry[g][m & (m - 1)];
#pragma omp simd
      for (std::size_t j = 0; j < width; ++j) tables.entry[g][m][j] = rest[j] + rows[lowest][j];
    }
  }
}

template <class Real>
void gate_product(GateBits gates, const Real* w, std::size_t w_stride, std::size_t columns,
                  bool accumulate, Real* t, std::size_t t_stride) {
  constexpr std::size_t width = panel_width<Real>;
  const std::size_t words = gates.stride();
  Tables<Real> tables;
  for (std::size_t j = 0; j < columns; j += width) {
    const std::size_t valid = columns - j < width ? columns - j : width;
    for (std::size_t first = 0; first < gates.gates; first += 32) {
      fill_tables(w + first * w_stride + j, w_stride, gates.gates - first, valid, tables);
      const bool fresh = first == 0 && !accumulate;
      for (std::size_t k = 0; k < gates.rows; ++k) {
        const auto bits =
            static_cast<std::uint32_t>(gates.words[k * words + first / 64] >> (first % 64));
        Real* out = t + k * t_stride + j;
        Panel<Real> sum{};
        if (!fresh) sum.load(out);
#pragma GCC unroll 8
        for (std::size_t g = 0; g < nibbles; ++g) sum.add(tables.entry[g][(bits >> (4 * g)) & 15U]);
        sum.store(out);
      }
    }
  }
}

}  // namespace

template <class Real>
const Kernels<Real>& table() {
#define SECONDORDER_STRING_(x) #x
#define SECONDORDER_STRING(x) SECONDORDER_STRING_(x)
  static const Kernels<Real> kernels{SECONDORDER_STRING(SECONDORDER_ISA),
                                     expand_mask<Real>,
                                     signed_magnitude<Real>,
                                     signed_multiplier<Real>,
                                     cone_relax<Real>,
                                     network_row<Real>,
                                     gate_product<Real>,
                                     gate_overlap<Real>,
                                     dot<Real>,
                                     dot_double<Real>,
                                     scaled_copy<Real>,
                                     reflect<Real>,
                                     relax<Real>,
                                     rectify<Real>,
                                     pass_open<Real>};
  return kernels;
}

template const Kernels<float>& table<float>();
template const Kernels<double>& table<double>();

}  // namespace secondorder::SECONDORDER_ISA
