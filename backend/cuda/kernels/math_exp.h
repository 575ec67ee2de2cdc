// The exponential functions reduce z = n·ln2 + r, |r| ≤ ln2/2. 2^n is applied last, so that a subnormal result is rounded once.
#pragma once

#include "format.h"

// Power is e^z = 2^n·(1 + p), with n as a float and in the low bits of shifted.
template <class T> struct Power {
  T n, shifted, p;
};

// expm1_reduced returns e^r − 1, within 2^−25.8, of float64 2^−60.5.
DEVICE float expm1_reduced(float r) { return fma(r * r, polynomial(r, 0.49999997, 0.166665435, 0.0416672081, 0.0083665289, 0.00138818973), r); }

// expm1_terms is (e^r − 1 − r)/r².
DEVICE double expm1_terms(double r) {
  return polynomial(r, 0.5, 0.16666666666666677, 0.0416666666666667, 0.008333333333321626, 0.0013888888888866791, 0.0001984126988613088,
                    2.4801587360600612e-05, 2.7557244212505825e-06, 2.7557242746328064e-07, 2.510903336408126e-08, 2.092444268893957e-09);
}
DEVICE double expm1_reduced(double r) { return fma(r * r, expm1_terms(r), r); }

// power reduces z, |z| ≤ 2^14.
template <class T> DEVICE Power<T> power(T z) {
  typedef Format<T> F;
  T shifted = fma(z, T(log2_e), F::round_shift);
  T n = shifted - F::round_shift;
  T r = fma(n, -F::ln2_high, z);
  r = fma(n, -F::ln2_low, r);
  return {n, shifted, expm1_reduced(r)};
}

// power_of_two returns 2^n times the float with the bits one, for n in the low bits of shifted. The result has to be normal.
template <class T> DEVICE T power_of_two(T shifted, Bits<T> one) { return from_bits(Bits<T>((bits(shifted) << Format<T>::mantissa_bits) + one)); }

// exponent_bits returns k at the place of an exponent.
template <class T> DEVICE constexpr Bits<T> exponent_bits(int k) { return Bits<T>(k) << Format<T>::mantissa_bits; }

// decayed returns y·e for n ≤ 0, also where it is subnormal: the last product alone rounds.
template <class T> DEVICE T decayed(T y, Power<T> e) {
  typedef Format<T> F;
  y = fma(y, e.p, y);
  return y * power_of_two(e.shifted, F::one + exponent_bits<T>(F::decay_shift)) * from_bits(Bits<T>(F::one - exponent_bits<T>(F::decay_shift)));
}

// finished returns 2^n·(1 + p). 2^n may be no float, but two halves of it are.
template <class T> DEVICE T finished(Power<T> e) {
  typedef Format<T> F;
  T half = fma(e.n, T(0.5), F::round_shift);
  T rest = (e.n - (half - F::round_shift)) + F::round_shift;
  return (e.p + 1) * power_of_two(half, F::one) * power_of_two(rest, F::one);
}

// clamped limits x to where e^x is infinite or 0, or to a limit above that. NaN stays.
template <class T> DEVICE T clamped(T x, T least) { return greater(least, lesser(Format<T>::exp_most, x)); }

// exponential returns e^x.
template <class T> DEVICE T exponential(T x) { return finished(power(clamped(x, Format<T>::exp_least))); }

// exponential_minus_one returns e^x − 1 as 2·(2^(n−1)·p + (2^(n−1) − ½)), since 2^n may overflow. Tiny arguments are their own results.
DEVICE float exponential_minus_one(float x) {
  typedef Format<float> F;
  Power<float> e = power(clamped(x, -18.f));
  float s = power_of_two(e.shifted, F::one - exponent_bits<float>(1));
  float y = fma(s, e.p, s - 0.5f);
  return magnitude(x) < F::tiny ? x : y + y;
}

// half_expm1 returns (e^z − 1)/2 within 2^−55 of it, for −40 ≤ z ≤ 710. With s = 2^(n−1) that is (s − ½) + s·r + s·(e^r − 1 − r), whose first sum
// is exact in two parts, and where r too is in two.
DEVICE Parts<double> half_expm1(double z) {
  typedef Format<double> F;
  double shifted = fma(z, log2_e, F::round_shift);
  double n = shifted - F::round_shift;
  double upper = fma(n, -F::ln2_high, z);
  double r = fma(n, -F::ln2_low, upper);
  double lower = fma(n, -F::ln2_low, upper - r);
  double rest = fma(r * r, expm1_terms(r), lower);
  double s = power_of_two(shifted, F::one - exponent_bits<double>(1));
  double offset = s - 0.5, scaled = s * r;
  double high = offset + scaled;
  return {high, fma(s, rest, (offset - high) + scaled)};
}

DEVICE double exponential_minus_one(double x) {
  Parts<double> e = half_expm1(clamped(x, -40.0));
  double y = e.high + e.low;
  return magnitude(x) < Format<double>::tiny ? x : y + y;
}

// hyperbolic_tangent is e/(e + 2) with e = e^2|x| − 1, and the sign of x; where that loses digits it is an odd polynomial, within 2^−28.8.
DEVICE float hyperbolic_tangent(float x) {
  float square = x * x;
  float terms = polynomial(square, -0.333333313, 0.133332044, -0.0539465174, 0.0216993131, -0.00817384385, 0.00213960814);
  float near = fma(terms * square, x, x);
  float z = magnitude(x);
  Power<float> e = power(lesser(20.f, z + z));
  float s = power_of_two(e.shifted, Format<float>::one);
  float y = fma(s, e.p, s - 1);
  return or_sign(z < 0.625f ? near : y / (y + 2), x);
}

// On float64 it is e/(e + 1) with e = (e^2|x| − 1)/2; what the two sums and the quotient round off is put back.
DEVICE double hyperbolic_tangent(double x) {
  double z = lesser(22.0, magnitude(x)); // tanh is 1 from there
  Parts<double> e = normal(half_expm1(z + z));
  double sum = e.high + 1;
  double back = sum - e.high;
  double lost = (e.high - (sum - back)) + (1 - back);
  double inverse = 1 / sum;
  double y = e.high * inverse;
  double rest = fma(-y, sum, e.high) + e.low;
  rest = fma(-y, lost + e.low, rest);
  return or_sign(fma(rest, inverse, y), x);
}

// decay returns e^−|x|.
template <class T> DEVICE T decay(T x) { return decayed(T(1), power(greater(Format<T>::exp_least, negated(magnitude(x))))); }

// logistic is 1/(1 + e) or e/(1 + e) with e = e^−|x|.
template <class T> DEVICE T logistic(T x) {
  T e = decay(x);
  return (sign_bits(x) ? e : T(1)) / (e + 1);
}
