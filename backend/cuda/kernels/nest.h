// Where the elements of up to three operands of one shape are, laid out as nest in nest.go.
#pragma once
#include "gpu.h"

#ifdef __clang__
#define ROLLED _Pragma("nounroll")
#else
#define ROLLED
#endif

// Nest walks axes, the outermost first. Element i in row-major order is at Σ index·strides[k] of operand k.
struct Nest {
  int32_t rank;
  uint32_t narrow; // whether there are less than 2³¹ elements
  int64_t dims[8];
  int64_t strides[3][8]; // in elements
};

template <class Int, int N> DEVICE void walk(const Nest &n, Int i, int64_t (&at)[N]) {
  ROLLED for (int a = n.rank - 1; a > 0; a--) {
    Int dim = Int(n.dims[a]), rest = i / dim;
    int64_t index = int64_t(i - rest * dim);
    UNROLL for (int k = 0; k < N; k++) at[k] += index * n.strides[k][a];
    i = rest;
  }
  UNROLL for (int k = 0; k < N; k++) at[k] += int64_t(i) * n.strides[k][0];
}

// place adds to at where element i is in the first N operands. A nest of no axes has one element, whose strides are 0.
template <int N> DEVICE void place(const Nest &n, int64_t i, int64_t (&at)[N]) {
  if (n.narrow)
    walk<uint32_t>(n, uint32_t(i), at);
  else
    walk<uint64_t>(n, uint64_t(i), at);
}

// place returns where element i of a narrow nest is in the first operand.
DEVICE int64_t place(const Nest &n, uint32_t i) {
  int64_t at[1] = {};
  walk(n, i, at);
  return at[0];
}
