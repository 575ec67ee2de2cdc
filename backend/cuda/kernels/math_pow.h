// Powers of floats and integers, and remainders.
#pragma once

#include "math_log.h"

// log_at_poles puts the logarithms of 0, infinity and NaN into log.
DEVICE double log_at_poles(double x, double log) {
  log = x == 0 ? negated(infinity<double>()) : log;
  return x < infinity<double>() ? log : x;
}

// positive_power returns x^y for x ≥ 0 from float32, as e^(y·ln x), to some 50 bits. e^±200 is infinite, or 0, in float32.
DEVICE double positive_power_single(double x, double y) {
  Split<double> s = split(x);
  double z = log_at_poles(x, log_reduced(s.k, s.mantissa - 1)) * y;
  Power<double> e = power(greater(-200.0, lesser(200.0, z)));
  return (e.p + 1) * power_of_two(e.shifted, Format<double>::one);
}

// log_parts returns ln x with a relative error of 2^−61: as 2s + ⅔s³ + s⁵·Σ, s = f/(2+f), the first two terms and k·ln2 in two parts.
DEVICE Parts<double> log_parts(double x) {
  typedef Format<double> F;
  constexpr double two_thirds = 0x1.5555555555555p-1, two_thirds_low = 0x1.5555555555555p-55;
  Split<double> split = split_any(x);
  double m = split.mantissa, k = split.k;
  double f = m - 1, sum = m + 1;
  double lost = m - (sum - 1);
  double inverse = 1 / sum;
  double s = f * inverse;
  double low = fma(-s, lost, fma(-s, sum, f)) * inverse;
  double s2 = s * s, s3 = s2 * s;
  double rest = s2 * s3 * polynomial(s2, 0.39999999999999725, 0.2857142857157718, 0.22222222191274354, 0.18181821523576958, 0.15384406770989248,
                                     0.13341141196057515, 0.11592404471712474, 0.12571168940714253);
  low = low + low;
  rest = rest + fma(s2, low, low);
  double s3_low = fma(fma(s, s, -s2), s, fma(s2, s, -s3));
  double cube = s3 * two_thirds;
  rest = rest + fma(s3_low, two_thirds, fma(s3, two_thirds_low, fma(s3, two_thirds, -cube)));
  double high = k * F::ln2_high;
  rest = rest + fma(k, F::ln2_low, fma(k, F::ln2_high, -high));
  double twice = s + s;
  double first = high + twice;
  double lowest = (high - first) + twice;
  double second = first + cube;
  lowest = ((first - second) + cube) + lowest;
  return normal(Parts<double>{second, lowest + rest});
}

// positive_power_double returns x^y for x ≥ 0, with both the logarithm and its product in two parts.
DEVICE double positive_power_double(double x, double y) {
  typedef Format<double> F;
  Parts<double> log = log_parts(x);
  double high = log_at_poles(x, log.high);
  double z = high * y;
  double rest = fma(log.low, y, fma(high, y, -z));
  rest = magnitude(z) < 0x1p10 ? rest : 0; // at infinities there is no rest
  z = clamped(z, F::exp_least);
  double shifted = fma(z, log2_e, F::round_shift);
  double n = shifted - F::round_shift;
  double r = fma(n, -F::ln2_high, z);
  r = fma(n, -F::ln2_low, r) + rest;
  return finished(Power<double>{n, shifted, expm1_reduced(r)});
}

// signed_power returns x^y with the special cases of Go's math.Pow, given |x|^y, which matters unless |x| is 1 or y is 0.
DEVICE double signed_power(double x, double y, double positive) {
  double z = magnitude(x), r = z == 1 ? 1 : positive;
  bool whole = trunc(y) == y, odd = whole && trunc(y * 0.5) != y * 0.5; // an infinite y is whole and even
  if (odd) r = or_sign(r, x);
  if (x < 0 && z < infinity<double>() && !whole) r = not_a_number<double>();
  return x == 1 || y == 0 ? 1 : r;
}

DEVICE double powered(double x, double y) { return signed_power(x, y, positive_power_double(magnitude(x), y)); }
DEVICE float powered(float x, float y) { return float(signed_power(x, y, positive_power_single(magnitude(double(x)), y))); }

// integer_power returns x^y, wrapped; x^−y is 0 but for x = ±1. Unsigned is T without its sign.
template <class T, class Unsigned> DEVICE T integer_power(T x, T y) {
  Unsigned p = 1, base = Unsigned(x);
  if (T(-1) < 0 && y < 0) {
    if (x == 1 || (x == T(-1) && !(y & 1))) return 1;
    return x == T(-1) ? x : 0;
  }
  for (Unsigned n = Unsigned(y); n; n >>= 1) {
    if (n & 1) p *= base;
    base *= base;
  }
  return T(p);
}

// exponent_of returns the exponent of a positive number, subnormal or not, plus the format's bias.
template <class T> DEVICE int exponent_of(T x) {
  typedef Format<T> F;
  bool subnormal = x < F::least_normal;
  int e = int(bits(subnormal ? x * F::to_normal : x) >> F::mantissa_bits);
  return subnormal ? e - F::mantissa_bits : e;
}

// small_remainder returns x mod y for a quotient below 2^mantissa_bits: the fused product's rest is exact, and off by one y at the most.
template <class T> DEVICE T small_remainder(T x, T y) {
  T r = fma(-trunc(x / y), y, x);
  r = r < 0 ? r + y : r;
  return r >= y ? r - y : r;
}

// doublings returns y·2^k, exact because it only grows. The power may be greater than any number: it has three parts.
template <class T> DEVICE T doublings(T y, int k) {
  typedef Format<T> F;
  int third = k / 3, half = (k - third) / 2;
  y = y * from_bits(Bits<T>(F::one + exponent_bits<T>(third)));
  y = y * from_bits(Bits<T>(F::one + exponent_bits<T>(half)));
  return y * from_bits(Bits<T>(F::one + exponent_bits<T>(k - third - half)));
}

// truncated_remainder returns x mod y for finite x ≥ 0, y > 0. x mod (y·2^k) leaves x mod y as it is.
template <class T> DEVICE T truncated_remainder(T x, T y) {
  constexpr int most = Format<T>::mantissa_bits - 2;
  while (x >= y) {
    int gap = exponent_of(x) - exponent_of(y);
    x = gap > most ? small_remainder(x, doublings(y, gap - most)) : small_remainder(x, y);
  }
  return x;
}

// floor_mod returns x − y·⌊x/y⌋, with the sign of y, rounded once. x mod ±∞ is x or, where the signs differ, ±∞.
template <class T> DEVICE T floor_mod(T x, T y) {
  T a = magnitude(x), b = magnitude(y);
  if (!(a < infinity<T>()) || !(b > 0)) return not_a_number<T>();
  T r = b < infinity<T>() ? truncated_remainder(a, b) : a;
  if (r == 0) return or_sign(T(0), y);
  r = or_sign(r, x);
  return sign_bits(x) == sign_bits(y) ? r : r + y;
}
