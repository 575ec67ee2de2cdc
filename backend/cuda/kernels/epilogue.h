// What a kernel of matrix products makes of its results before it stores them: epilogue.go finds it in the command that follows the product.
#pragma once
#include "math_erf.h"
#include "number.h"

enum Function { IDENTITY, GELU, GELU_GRAD };

// Epilogue stores functions of y = x + bias in place of the results x, or beside them. All is rounded as the commands would, so the bits are theirs.
struct Epilogue {
  const char *bias;         // null for none
  int64_t rowBias, colBias; // strides
  char *to[2];              // laid out as the product is; null for none
  int32_t function[2];
  int32_t there;            // whether there is an epilogue
  int32_t keeps;            // whether the product is stored too
};

// rounded returns what x is when it has been stored as a T.
template <class T> DEVICE Carried<T> rounded(Carried<T> x) { return Number<T>::load(Number<T>::round(x)); }

// conclude stores what becomes of a result x of type T, at an element of the destinations and one of the bias.
template <class T> DEVICE void conclude(const Epilogue &p, char *d, int64_t at, int64_t bias, Carried<T> x) {
  typedef Number<T> N;
  T result = N::round(x);
  if (p.keeps) ((T *)d)[at] = result;
  Carried<T> y = N::load(result);
  if (p.bias) y = rounded<T>(y + N::load(((const T *)p.bias)[bias]));
  Carried<T> value = y, slope = y;
  if (p.function[0] | p.function[1]) {
    Gaussian<Carried<T>> g = gaussian(y);
    value = gelu_of(y, g);
    slope = gelu_grad_of(y, g);
  }
  UNROLL for (int k = 0; k < 2; k++)
    if (p.to[k]) ((T *)p.to[k])[at] = N::round(p.function[k] == GELU ? value : p.function[k] == GELU_GRAD ? slope : y);
}
