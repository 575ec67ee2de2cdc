// The element types: how they are stored, and the types in which sums of them are carried.
#pragma once
#include "gpu.h"

// DType has the numbers of backend.DType.
enum DType { BOOL = 1, UINT8, INT32, INT64, FLOAT16, BFLOAT16, FLOAT32, FLOAT64 };

struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};

// Number<T> says what T is carried as, how it is read and how the carried type is rounded to it. Integers narrower than their carried type
// wrap to it in the end, which is the same as wrapping at every step.
template <class T> struct Number {
  typedef T Carried;
  DEVICE T load(T x) { return x; }
  DEVICE T round(T x) { return x; }
};
template <> struct Number<uint8_t> {
  typedef int32_t Carried;
  DEVICE int32_t load(uint8_t x) { return x; }
  DEVICE uint8_t round(int32_t x) { return uint8_t(x); }
};
template <> struct Number<F16> {
  typedef float Carried;
  DEVICE float load(F16 x) { return f16_to_f32(x.bits); }
  DEVICE F16 round(float x) { return {f32_to_f16(x)}; }
};
template <> struct Number<BF16> {
  typedef float Carried;
  DEVICE float load(BF16 x) { return bf16_to_f32(x.bits); }
  DEVICE BF16 round(float x) { return {f32_to_bf16(x)}; }
};

template <class T> using Carried = typename Number<T>::Carried;

// store rounds a carried value to the type that the memory has.
DEVICE void store(char *p, int64_t at, int dtype, float x) {
  if (dtype == FLOAT16)
    ((uint16_t *)p)[at] = f32_to_f16(x);
  else if (dtype == BFLOAT16)
    ((uint16_t *)p)[at] = f32_to_bf16(x);
  else
    ((float *)p)[at] = x;
}
DEVICE void store(char *p, int64_t at, int dtype, int32_t x) {
  if (dtype == UINT8)
    ((uint8_t *)p)[at] = uint8_t(x);
  else
    ((int32_t *)p)[at] = x;
}
DEVICE void store(char *p, int64_t at, int, int64_t x) { ((int64_t *)p)[at] = x; }
DEVICE void store(char *p, int64_t at, int, double x) { ((double *)p)[at] = x; }

// get reads what store has stored.
template <class A> DEVICE A get(const char *p, int64_t at, int dtype) {
  if (dtype == FLOAT16) return A(f16_to_f32(((const uint16_t *)p)[at]));
  if (dtype == BFLOAT16) return A(bf16_to_f32(((const uint16_t *)p)[at]));
  if (dtype == UINT8) return A(((const uint8_t *)p)[at]);
  return ((const A *)p)[at];
}

// The bounds of a type: the greatest and the least carried value are what the minimum and the maximum of nothing are.
template <class A> struct Bounds;
template <> struct Bounds<int32_t> {
  DEVICE int32_t least() { return -2147483647 - 1; }
  DEVICE int32_t greatest() { return 2147483647; }
};
template <> struct Bounds<int64_t> {
  DEVICE int64_t least() { return -9223372036854775807l - 1; }
  DEVICE int64_t greatest() { return 9223372036854775807l; }
};
template <> struct Bounds<float> {
  DEVICE float least() { return -__builtin_inff(); }
  DEVICE float greatest() { return __builtin_inff(); }
};
template <> struct Bounds<double> {
  DEVICE double least() { return -__builtin_inf(); }
  DEVICE double greatest() { return __builtin_inf(); }
};
