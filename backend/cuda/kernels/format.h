// A binary floating-point format, and what its functions are made of.
#pragma once

#include "gpu.h"

template <class T> struct Format;

template <> struct Format<float> {
  typedef uint32_t Bits;
  typedef int32_t Int;
  static constexpr int width = 32, mantissa_bits = 23;
  static constexpr Bits one = 0x3f800000;
  static constexpr Bits origin = 0x3f400000; // the bits of 3/4: mantissas are taken from [3/4, 3/2), so that 1 is not at an end
  static constexpr float least_normal = 0x1p-126f;
  static constexpr float to_normal = 0x1p23f; // makes any subnormal number normal
  static constexpr float tiny = 0x1p-25f;     // below, x is e^x − 1
  static constexpr float round_shift = 0x1.8p23f; // added to |x| < 2^22, rounds x to an integer, which the low bits of the sum then hold
  static constexpr float ln2_high = 0x1.62e43p-1f, ln2_low = -0x1.05c61p-29f;
  static constexpr float exp_most = 89, exp_least = -104; // from here e^x is infinite, and down from here 0
  static constexpr int decay_shift = 64; // with 2^n the least power of e used, 2^(n+decay_shift) is normal
};

template <> struct Format<double> {
  typedef uint64_t Bits;
  typedef int64_t Int;
  static constexpr int width = 64, mantissa_bits = 52;
  static constexpr Bits one = 0x3ffull << 52;
  static constexpr Bits origin = 0x3fe8ull << 48;
  static constexpr double least_normal = 0x1p-1022;
  static constexpr double to_normal = 0x1p52;
  static constexpr double tiny = 0x1p-54;
  static constexpr double round_shift = 0x1.8p52;
  static constexpr double ln2_high = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;
  static constexpr double exp_most = 710, exp_least = -746;
  static constexpr int decay_shift = 128;
};

template <class T> using Bits = typename Format<T>::Bits;
template <class T> using Int = typename Format<T>::Int;

constexpr double log2_e = 0x1.71547652b82fep+0;
constexpr double ln_2 = 0x1.62e42fefa39efp-1;
constexpr double pi = 0x1.921fb54442d18p+1;
constexpr double two_over_pi = 0x1.45f306dc9c883p-1;
constexpr double sqrt_2 = 0x1.6a09e667f3bcdp+0;
constexpr double inv_sqrt_2pi = 0x1.9884533d43651p-2;

DEVICE float from_bits(uint32_t b) { return as_float(b); }
DEVICE double from_bits(uint64_t b) { return as_double(b); }

template <class T> DEVICE Bits<T> sign_bits(T x) { return bits(x) & Bits<T>(1) << (Format<T>::width - 1); }
template <class T> DEVICE T magnitude(T x) { return from_bits(bits(x) & ~(Bits<T>(1) << (Format<T>::width - 1))); }
template <class T> DEVICE T negated(T x) { return from_bits(bits(x) ^ Bits<T>(1) << (Format<T>::width - 1)); }
// or_sign gives y the sign of x, if y has none; copy_sign whatever it has.
template <class T> DEVICE T or_sign(T y, T x) { return from_bits(bits(y) | sign_bits(x)); }
template <class T> DEVICE T copy_sign(T y, T x) { return or_sign(magnitude(y), x); }
template <class T> DEVICE T infinity() { return from_bits(Bits<T>(Format<T>::one << 1 | Format<T>::one)); }
template <class T> DEVICE T not_a_number() { return from_bits(Bits<T>(Format<T>::one << 1 | Format<T>::one | Bits<T>(1) << (Format<T>::mantissa_bits - 1))); }

// lesser and greater return b where an operand is NaN or both are zeros.
template <class T> DEVICE T lesser(T a, T b) { return a < b ? a : b; }
template <class T> DEVICE T greater(T a, T b) { return a > b ? a : b; }

// polynomial returns c + rest[0]·x + rest[1]·x² + …, by Horner's rule.
template <class T> DEVICE T polynomial(T, double c) { return T(c); }
template <class T, class... Rest> DEVICE T polynomial(T x, double c, Rest... rest) { return fma(polynomial(x, rest...), x, T(c)); }

// Parts is an unevaluated sum.
template <class T> struct Parts {
  T high, low;
};

// normal makes high the rounded sum, for |high| ≥ |low| (Dekker).
template <class T> DEVICE Parts<T> normal(Parts<T> p) {
  T sum = p.high + p.low;
  return {sum, (p.high - sum) + p.low};
}
