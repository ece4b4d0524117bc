/* Adapts the statically linked OpenBLAS to a Node process. The linker sends OpenBLAS's calls of
 * getenv and pthread_atfork, and those of this shared object alone, to the functions below
 * (--wrap, see cmake/blas.cmake). */
#include <stddef.h>
#include <string.h>

char* __real_getenv(const char* name);
char* __wrap_getenv(const char* name);
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* The kernels that OpenBLAS would not choose itself: its CPU table ends before recent processors,
 * and gives Haswell kernels to some that have AVX-512. */
static char* better_core(void) {
#if defined(__x86_64__)
  static char skylake_x[] = "SkylakeX";
  __builtin_cpu_init(); /* OpenBLAS asks in its load-time constructor, before ours may have run. */
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd")) {
    return skylake_x;
  }
#endif
  return NULL;
}

char* __wrap_getenv(const char* name) {
  /* The core has threads of its own: OpenBLAS need not start any when it is loaded. */
  static char one_thread[] = "1";
  if (strcmp(name, "OPENBLAS_NUM_THREADS") == 0) return one_thread;
  /* A core type named by the user wins. */
  char* value = __real_getenv(name);
  if (value != NULL || strcmp(name, "OPENBLAS_CORETYPE") != 0) return value;
  return better_core();
}

/* OpenBLAS stops its threads before every fork, also while another thread is inside a gemm, which
 * then never returns. Node forks only to exec, so there is nothing to prepare for. */
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  (void)prepare;
  (void)parent;
  (void)child;
  return 0;
}
