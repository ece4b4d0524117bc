// CUDA's short vectors.
#pragma once

#define SECONDORDER_VECTOR_TYPE(name, scalar, alignment2, alignment4)                  \
  struct name##1 {                                                                     \
    scalar x;                                                                          \
  };                                                                                   \
  struct alignas(alignment2) name##2 {                                                 \
    scalar x, y;                                                                       \
  };                                                                                   \
  struct name##3 {                                                                     \
    scalar x, y, z;                                                                    \
  };                                                                                   \
  struct alignas(alignment4) name##4 {                                                 \
    scalar x, y, z, w;                                                                 \
  };                                                                                   \
  constexpr name##2 make_##name##2(scalar x, scalar y) { return {x, y}; }              \
  constexpr name##3 make_##name##3(scalar x, scalar y, scalar z) { return {x, y, z}; } \
  constexpr name##4 make_##name##4(scalar x, scalar y, scalar z, scalar w) { return {x, y, z, w}; }

SECONDORDER_VECTOR_TYPE(char, signed char, 2, 4)
SECONDORDER_VECTOR_TYPE(uchar, unsigned char, 2, 4)
SECONDORDER_VECTOR_TYPE(short, short, 4, 8)
SECONDORDER_VECTOR_TYPE(ushort, unsigned short, 4, 8)
SECONDORDER_VECTOR_TYPE(int, int, 8, 16)
SECONDORDER_VECTOR_TYPE(uint, unsigned int, 8, 16)
SECONDORDER_VECTOR_TYPE(longlong, long long, 16, 16)
SECONDORDER_VECTOR_TYPE(ulonglong, unsigned long long, 16, 16)
SECONDORDER_VECTOR_TYPE(float, float, 8, 16)
SECONDORDER_VECTOR_TYPE(double, double, 16, 16)
#undef SECONDORDER_VECTOR_TYPE

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_count = 1, unsigned y_count = 1, unsigned z_count = 1)
      : x(x_count), y(y_count), z(z_count) {}
};
