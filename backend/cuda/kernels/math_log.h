// The logarithms split x = 2^k·m with m in [3/4, 3/2), and f = m − 1.
#pragma once

#include "math_exp.h"

// log_reduced returns k·ln2 + ln(1+f). The polynomial, (ln(1+f) − f + f²/2)/f³, is within 2^−29.1 of ln(1+f).
DEVICE float log_reduced(float k, float f) {
  typedef Format<float> F;
  float f2 = f * f;
  float y = f2 * f * polynomial(f, 0.333333403, -0.250001669, 0.199996069, -0.166552886, 0.142761528, -0.127277315, 0.117015041, -0.0911833495, 0.0376884416);
  y = fma(k, F::ln2_low, y);
  y = fma(f2, -0.5f, y);
  return fma(k, F::ln2_high, f + y);
}

// On float64 ln(1+f) is 2·artanh(s), s = f/(2+f), as f − (f²/2 − s·(f²/2 + s²·Σ)), whose first term is exact; within 2^−60.4.
DEVICE double log_reduced(double k, double f) {
  typedef Format<double> F;
  double s = f / (f + 2);
  double s2 = s * s;
  double half = f * f * 0.5;
  double sum = polynomial(s2, 0.666666666666666, 0.40000000000055946, 0.2857142855600544, 0.22222224276432706, 0.18181667074187333,
                          0.15391072892475133, 0.13174254261845672, 0.13838616395020478);
  double y = s * fma(s2, sum, half);
  return fma(k, F::ln2_high, f - (half - fma(k, F::ln2_low, y)));
}

// Split is x = 2^k·mantissa; exponent is k at its place.
template <class T> struct Split {
  T k, mantissa;
  Bits<T> exponent;
};

// split takes positive normal x.
template <class T> DEVICE Split<T> split(T x) {
  typedef Format<T> F;
  Int<T> k = Int<T>(bits(x) - F::origin) >> F::mantissa_bits;
  Bits<T> exponent = Bits<T>(k) << F::mantissa_bits;
  return {T(k), from_bits(Bits<T>(bits(x) - exponent)), exponent};
}

// split_any takes subnormal x too.
template <class T> DEVICE Split<T> split_any(T x) {
  typedef Format<T> F;
  bool subnormal = x < F::least_normal;
  Split<T> s = split(subnormal ? x * F::to_normal : x);
  s.k += subnormal ? T(-F::mantissa_bits) : T(0);
  return s;
}

// at_poles puts the special values of a logarithm that is −∞ at x = pole into y.
template <class T> DEVICE T at_poles(T x, T pole, T y) {
  y = x >= pole ? y : not_a_number<T>();
  y = x == pole ? negated(infinity<T>()) : y;
  return x == infinity<T>() ? x : y;
}

// logarithm returns ln x.
template <class T> DEVICE T logarithm(T x) {
  Split<T> s = split_any(x);
  return at_poles(x, T(0), log_reduced(s.k, s.mantissa - 1));
}

// log_one_plus_finite returns ln(1+x) for finite x > −1: what rounding 1 + x lost is put back into f. 2^−k is limited to normal numbers; nothing
// remains of what is lost long before.
template <class T> DEVICE T log_one_plus_finite(T x) {
  typedef Format<T> F;
  T u = x + 1;
  T back = u - 1;
  T lost = (1 - (u - back)) + (x - back);
  Split<T> s = split(u);
  Int<T> limit = exponent_bits<T>((1 << (F::width - F::mantissa_bits - 2)) - 2);
  Int<T> exponent = Int<T>(s.exponent) < limit ? Int<T>(s.exponent) : limit;
  T f = fma(lost, from_bits(Bits<T>(F::one - Bits<T>(exponent))), s.mantissa - 1);
  return log_reduced(s.k, f);
}

// log_one_plus returns ln(1+x). It has the sign of x, which matters for −0.
template <class T> DEVICE T log_one_plus(T x) { return or_sign(at_poles(x, T(-1), log_one_plus_finite(x)), x); }

// soft_plus returns ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|).
template <class T> DEVICE T soft_plus(T x) { return greater(T(0), x) + log_one_plus_finite(decay(x)); }
