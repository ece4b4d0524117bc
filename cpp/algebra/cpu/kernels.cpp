#include "algebra/cpu/kernels.hpp"

#include <cstring>
#include <initializer_list>

#include "algebra/cpu/row_window_kernels.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace secondorder {

#define SECONDORDER_DECLARE_KERNELS(isa)          \
  namespace isa {                                 \
  template <class Real>                           \
  const Kernels<Real>& table();                   \
  extern template const Kernels<float>& table();  \
  extern template const Kernels<double>& table(); \
  const RowWindowKernels& row_window_table();     \
  }

SECONDORDER_DECLARE_KERNELS(portable)
#if defined(__x86_64__)
SECONDORDER_DECLARE_KERNELS(avx2)
SECONDORDER_DECLARE_KERNELS(avx512)
#endif

#if defined(__x86_64__)
namespace {

/// Not every compiler's __builtin_cpu_supports knows it.
bool runs_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

bool runs_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi2") && runs_f16c();
}

bool runs_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd");
}

}  // namespace
#endif

template <class Real>
const Kernels<Real>* kernels_named(const char* name) {
#if defined(__x86_64__)
  if (std::strcmp(name, "avx512") == 0) return runs_avx512() ? &avx512::table<Real>() : nullptr;
  if (std::strcmp(name, "avx2") == 0) return runs_avx2() ? &avx2::table<Real>() : nullptr;
#endif
  return std::strcmp(name, "portable") == 0 ? &portable::table<Real>() : nullptr;
}

template <class Real>
const Kernels<Real>& kernels() {
  static const Kernels<Real>& best = [&]() -> const Kernels<Real>& {
    for (const char* name : {"avx512", "avx2"}) {
      if (const auto* table = kernels_named<Real>(name)) return *table;
    }
    return *kernels_named<Real>("portable");
  }();
  return best;
}

const RowWindowKernels* row_window_kernels_named(const char* name) {
#if defined(__x86_64__)
  if (std::strcmp(name, "avx512") == 0)
    return runs_avx512() ? &avx512::row_window_table() : nullptr;
  if (std::strcmp(name, "avx2") == 0) return runs_avx2() ? &avx2::row_window_table() : nullptr;
#endif
  return std::strcmp(name, "portable") == 0 ? &portable::row_window_table() : nullptr;
}

const RowWindowKernels& row_window_kernels() {
  return *row_window_kernels_named(kernels<float>().name);
}

template const Kernels<float>& kernels<float>();
template const Kernels<double>& kernels<double>();
template const Kernels<float>* kernels_named<float>(const char*);
template const Kernels<double>* kernels_named<double>(const char*);

}  // namespace secondorder
