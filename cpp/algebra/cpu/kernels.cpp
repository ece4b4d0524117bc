#include "algebra/cpu/kernels.hpp"

#include <cstring>
#include <initializer_list>

namespace secondorder {

#define SECONDORDER_DECLARE_KERNELS(isa)          \
  namespace isa {                                 \
  template <class Real>                           \
  const Kernels<Real>& table();                   \
  extern template const Kernels<float>& table();  \
  extern template const Kernels<double>& table(); \
  }

SECONDORDER_DECLARE_KERNELS(portable)
#if defined(__x86_64__)
SECONDORDER_DECLARE_KERNELS(avx2)
SECONDORDER_DECLARE_KERNELS(avx512)
#endif

template <class Real>
const Kernels<Real>* kernels_named(const char* name) {
#if defined(__x86_64__)
  if (std::strcmp(name, "avx512") == 0) {
    const bool runs = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512cd");
    return runs ? &avx512::table<Real>() : nullptr;
  }
  if (std::strcmp(name, "avx2") == 0) {
    const bool runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                      __builtin_cpu_supports("bmi2");
    return runs ? &avx2::table<Real>() : nullptr;
  }
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

template const Kernels<float>& kernels<float>();
template const Kernels<double>& kernels<double>();
template const Kernels<float>* kernels_named<float>(const char*);
template const Kernels<double>* kernels_named<double>(const char*);

}  // namespace secondorder
