// Marks plain functions that kernels call too.
#pragma once

#if defined(__CUDACC__)
#define SECONDORDER_HOST_DEVICE __host__ __device__
#else
#define SECONDORDER_HOST_DEVICE
#endif
