// The error function, and GELU(x) = x·Φ(x) with its derivative Φ(x) + x·φ(x). The tail Φ(−z) is e^(−z²/2) times a polynomial in t = (z − 4)/(z + 4),
// so it keeps its relative accuracy down to the least subnormal number.
#pragma once

#include "math_exp.h"

// error_function is an odd polynomial near 0, within 2^−25.9, and 1 − e^−w farther out, within 2^−28.2. After N. Juffa.
DEVICE float error_function(float x) {
  float near = fma(polynomial(x * x, 0.128379166, -0.376126319, 0.112836875, -0.0268589407, 0.00519990642, -0.000813001068, 8.31676953e-05), x, x);
  float z = magnitude(x);
  float t = lesser(4.f, z); // erf is 1 from there
  float w = fma(polynomial(t, 0.128648654, 0.635150671, 0.106237963, -0.0237629991, 0.00364290318, -0.000322913518, 1.12423022e-05), t, t);
  Power<float> e = power(negated(w));
  float minus = negated(power_of_two(e.shifted, Format<float>::one));
  float far = fma(minus, e.p + 1, 1.f);
  return z < 0.93f ? near : or_sign(far, x);
}

// tail_terms is e^(z²/2)·Φ(−z) for z ≤ 15, within 2^−25.2; of float64, times z + 4, for z ≤ 40, within 2^−54.2.
DEVICE float tail_terms(float t) {
  return polynomial(t, 0.094410643, -0.170397744, 0.124379203, -0.071706742, 0.0308654979, -0.00849792082, 0.000502557843, 0.00065777218,
                    -0.000167834252, -6.52947783e-05);
}
DEVICE double tail_terms(double t) {
  return polynomial(t, 0.7552851304157515, -0.6078966419718921, 0.38713740074221487, -0.18652185795965878, 0.060396574890917154,
                    -0.0075401889666777645, -0.0034796923669643703, 0.0016308184568942744, 0.0001333443075097308, -0.00023109493000649214,
                    -1.9082256103608493e-06, 3.5144664641448595e-05, 7.165278337834983e-07, -5.920125865588754e-06, -6.293191085717708e-07,
                    1.0215177206296898e-06, 2.7113927646928664e-07, -1.5503451551598425e-07, -8.467605805614806e-08, 1.3478528124802866e-08,
                    1.9161674326236128e-08, 1.7319502951545473e-09, -2.397919741764291e-09, -6.616017944303706e-10);
}

// On float64 it is an odd polynomial below 1, within 2^−56.3, and 1 − 2Φ(−√2·|x|) farther out.
DEVICE double error_function(double x) {
  constexpr double origin = 2 * sqrt_2; // 4/√2
  double near = fma(polynomial(x * x, 0.1283791670955126, -0.3761263890318375, 0.11283791670954857, -0.026866170645072893, 0.005223977624780849,
                               -0.0008548326978741218, 0.00012055331036867641, -1.4925593506254136e-05, 1.646097280914595e-06,
                               -1.6350025163666317e-07, 1.4657879601536979e-08, -1.1365665583128013e-09, 5.945261941183837e-11), x, x);
  double z = magnitude(x);
  double y = lesser(6.0, z); // erf is 1 from there
  double inverse = sqrt_2 / (y + origin);
  double ratio = tail_terms((y - origin) * (sqrt_2 / 2) * inverse) * inverse;
  Power<double> e = power(y * negated(y));
  double far = 1 - fma(ratio, e.p, ratio) * power_of_two(e.shifted, Format<double>::one);
  return z < 1 ? near : or_sign(far, x);
}

// tail_rest returns z − 4·(1+t) − z·t, which is z + 4 times what rounding lost of t.
template <class T> DEVICE T tail_rest(T z, T t) { return fma(-t, z, z + fma(t, T(-4), T(-4))); }

// tail_ratio returns e^(z²/2)·Φ(−z). It is sensitive to t, so what t lost is divided by z + 4, which is 8/(1−t), and added.
DEVICE float tail_ratio(float z) {
  float t = (z - 4) / (z + 4);
  return tail_terms(fma(tail_rest(z, t), fma(t, -0.125f, 0.125f), t));
}
DEVICE double tail_ratio(double z) {
  double inverse = 1 / (z + 4);
  double t = (z - 4) * inverse;
  return tail_terms(fma(tail_rest(z, t), inverse, t)) * inverse;
}

// Gaussian is what GELU and its derivative share: z = |x|, e = e^(−z²/2), ratio = Φ(−z)/e.
template <class T> struct Gaussian {
  T z, ratio;
  Power<T> e;
};

// Φ(−z) and z·φ(z) are 0 from tail_end on.
DEVICE float tail_end(float) { return 15; }
DEVICE double tail_end(double) { return 39.5; }

// gaussian puts the rounding error of z² back into the exponent, since the exponential magnifies it by z²/2.
template <class T> DEVICE Gaussian<T> gaussian(T x) {
  typedef Format<T> F;
  T z = lesser(tail_end(x), magnitude(x));
  T square = z * z;
  T low = fma(z, z, -square);
  T shifted = fma(square, T(-0.5 * log2_e), F::round_shift);
  T n = shifted - F::round_shift;
  T r = fma(n, -F::ln2_high, square * T(-0.5));
  r = fma(low, T(-0.5), r);
  r = fma(n, -F::ln2_low, r);
  return {z, tail_ratio(z), {n, shifted, expm1_reduced(r)}};
}

// before_end returns y, but −0 where GELU and its derivative of float32 are less than 10^−17, as on every backend.
DEVICE float before_end(float z, float y) { return z > 9 ? -0.f : y; }
DEVICE double before_end(double, double y) { return y; }

// gelu_of is max(x, 0) − z·Φ(−z), which has the sign of x. The exponential is last: it may be subnormal.
template <class T> DEVICE T gelu_of(T x, Gaussian<T> g) {
  T below = before_end(g.z, decayed(g.z * g.ratio, g.e));
  return or_sign(greater(T(0), x) - below, x);
}

// gelu_grad_of is h = Φ(−z) − z·φ(z) for negative x, else 1 − h.
template <class T> DEVICE T gelu_grad_of(T x, Gaussian<T> g) {
  T h = before_end(g.z, decayed(fma(g.z, T(-inv_sqrt_2pi), g.ratio), g.e));
  return sign_bits(x) ? h : 1 - h;
}

template <class T> DEVICE T gelu(T x) { return gelu_of(x, gaussian(x)); }
template <class T> DEVICE T gelu_grad(T x) { return gelu_grad_of(x, gaussian(x)); }
