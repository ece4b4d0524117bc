/* A backend of a version that is none of this package's: nothing else of it may be called. */
#include <stdlib.h>

const char* secondorder_cuda_version(void);
void* secondorder_cuda_open(const void* services);

const char* secondorder_cuda_version(void) { return "0.0.0-other"; }
void* secondorder_cuda_open(const void* services) {
  (void)services;
  abort();
}
