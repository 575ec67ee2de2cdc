// Sine and cosine subtract the nearest multiple of π/2 in three parts; where that is not exact enough, they multiply by as many bits of 2/π as matter.
// The angle of a point is fdlibm's, from the coordinates.
#pragma once

#include "format.h"

// Turned is x = r + low + k·π/2, k modulo 4.
struct Turned {
  double r, low;
  uint64_t k;
};

// turned returns sin(r + k·π/2), of the sine and the cosine of r.
template <class T> DEVICE T turned(T sin, T cos, Bits<T> k) {
  T y = k & 1 ? cos : sin;
  return from_bits(Bits<T>(bits(y) ^ (k >> 1) << (Format<T>::width - 1)));
}

// sine_near returns sin(x + quadrant·π/2) for |x| < 2^17, where n·π/2's first part is within 1 of x, so that the first difference is exact.
// The polynomials are within 2^−28 on |r| ≤ π/4.
DEVICE float sine_near(float x, uint32_t quadrant) {
  constexpr float shift = Format<float>::round_shift;
  float shifted = fma(x, float(two_over_pi), shift);
  float n = shifted - shift;
  float r = fma(n, -0x1.921fb6p0f, x);
  r = fma(n, 0x1.777a5cp-25f, r);
  r = fma(n, 0x1.ee59dap-50f, r);
  float r2 = r * r;
  float sin = fma(r * r2, polynomial(r2, -0.166666672, 0.00833332911, -0.000198393042, 2.71804652e-06), r);
  float cos = polynomial(r2, 1, -0.5, 0.0416666456, -0.00138873095, 2.44324146e-05);
  return turned(sin, cos, bits(shifted) + quadrant);
}

// sine_of returns sin(t.r + t.low + (t.k + quadrant)·π/2) for |r| ≤ π/4, |low| ≤ ulp(r)/2. The polynomials are within 2^−57.4.
DEVICE double sine_of(Turned t, uint64_t quadrant) {
  double r = t.r, r2 = r * r;
  double half = r2 * 0.5;
  double w = 1 - half;
  double s = polynomial(r2, -0.16666666666666632, 0.008333333333322425, -0.00019841269829816582, 2.7557313695032895e-06, -2.5050758617408313e-08,
                        1.5896825654908957e-10);
  double sin = r + fma(t.low, w, r2 * r * s);
  double rest = (1 - w) - half;
  double c = polynomial(r2, 0.0416666666666666, -0.0013888888888874136, 2.4801587289491004e-05, -2.7557314355237696e-07, 2.0875723709059163e-09,
                        -1.1359672041998691e-11);
  double cos = w + fma(r2 * r2, c, fma(-r, t.low, rest));
  return turned(sin, cos, t.k + quadrant);
}

// quarter_turns_near takes |x| < 2^30. The first difference, of a fused product, is exact, the second is taken in two parts, and no float64 is so near
// to a multiple of π/2 that the rest would matter.
DEVICE Turned quarter_turns_near(double x) {
  constexpr double shift = Format<double>::round_shift;
  constexpr double part1 = 0x1.921fb54442d18p0, part2 = 0x1.1a62633145c07p-54, part3 = -0x1.f1976b7ed8fbcp-110;
  double shifted = fma(x, two_over_pi, shift);
  double n = shifted - shift;
  double first = fma(n, -part1, x);
  double product = n * part2;
  double r = first - product;
  double low = (first - r) - product;
  low = low - fma(n, part2, -product);
  low = fma(-n, part3, low);
  double sum = r + low;
  return {sum, (r - sum) + low, bits(shifted)};
}

// two_over_pi_bits holds the bits of 2/π after a word of zeros, enough for the greatest float64.
CONSTANT uint64_t two_over_pi_bits[] = {
    0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561, 0xb7246e3a424dd2e0,
    0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
};

// quarter_turns_far takes any finite x of at least 2^−8 (M. H. Payne and R. N. Hanek, "Radian reduction for trigonometric functions", 1983). With x = m·2^e
// it multiplies m by those 192 bits of 2/π that follow the ones that give whole turns. No float64 is nearer to a multiple of π/2 than 2^−61 quarter
// turns, so at least 2^−70 of the result is right.
DEVICE Turned quarter_turns_far(double x) {
  uint64_t b = bits(x);
  int e = int(b >> 52 & 0x7ff) - 1075;
  uint64_t m = (b & ((1ull << 52) - 1)) | 1ull << 52;
  uint32_t at = uint32_t(e - 2 + 64), over = at % 64; // bit e − 1 of 2/π counts two quarter turns
  const uint64_t *words = two_over_pi_bits + at / 64;
  uint64_t back = 63 - over;
  uint64_t w0 = words[0] << over | words[1] >> 1 >> back;
  uint64_t w1 = words[1] << over | words[2] >> 1 >> back;
  uint64_t w2 = words[2] << over | words[3] >> 1 >> back;
  uint64_t p1 = m * w1 + mul_hi(m, w2);
  uint64_t p0 = m * w0 + mul_hi(m, w1) + (p1 < m * w1);
  // p0 and p1 are quarter turns modulo 4, two bits before the point.
  uint64_t k = p0 >> 62;
  uint64_t high = p0 << 2 | p1 >> 62, rest = p1 << 2;
  uint64_t sign = b >> 63;
  if (high >> 63) { // to the nearest
    k++;
    high = ~high + (rest == 0);
    rest = ~rest + 1;
    sign ^= 1;
  }
  if (b >> 63) k = -k;
  // (high·2^−64 + rest·2^−128)·π/2 in two parts; high is not 0.
  uint32_t zeros = clz(high);
  high = high << zeros | rest >> 1 >> (63 - zeros);
  rest <<= zeros;
  double scale = as_double(uint64_t(1023 - 53 - zeros) << 52 | sign << 63);
  double upper = double(high >> 11) * scale, lower = double(high << 53 >> 1 | rest >> 12) * 0x1p-63 * scale;
  double product = upper * (pi / 2);
  double low = fma(upper, pi / 2, -product) + (upper * 0x1.1a62633145c07p-54 + lower * (pi / 2));
  Parts<double> sum = normal(Parts<double>{product, low});
  return {sum.high, sum.low, k};
}

// sine returns sin(x + quadrant·π/2); of infinities and NaN, NaN.
DEVICE double sine(double x, uint64_t quadrant) {
  double z = magnitude(x);
  bool far = z >= 0x1p30 && z < infinity<double>();
  return sine_of(far ? quarter_turns_far(x) : quarter_turns_near(x), quadrant);
}

// Angle is the angle of a point in two parts.
typedef Parts<double> Angle;

// atan_rest returns 1 − atan(t)/t for |t| ≤ 7/16: fdlibm's minimax polynomial, with an error below 2^−58.
DEVICE double atan_rest(double t) {
  double z = t * t, w = z * z;
  double odd = 1.62858201153657823623e-02;
  odd = 4.97687799461593236017e-02 + w * odd;
  odd = 6.66107313738753120669e-02 + w * odd;
  odd = 9.09088713343650656196e-02 + w * odd;
  odd = 1.42857142725034663711e-01 + w * odd;
  odd = 3.33333333333329318027e-01 + w * odd;
  double even = -3.65315727442169155270e-02;
  even = -5.83357013379057348645e-02 + w * even;
  even = -7.69187620504482999495e-02 + w * even;
  even = -1.11111104054623557880e-01 + w * even;
  even = -1.99999999998764832476e-01 + w * even;
  return z * odd + w * even;
}

// atan_from returns angle + atan(t).
DEVICE Angle atan_from(Angle angle, double t) {
  double sum = angle.high + t;
  return {sum, (angle.high - sum + t) + (angle.low - t * atan_rest(t))};
}

// first_quadrant returns the angle of (b, a), both positive: atan(a/b). It is reduced by one of four known angles φ, from the coordinates, so that no
// quotient is rounded before it: tan(θ − φ) = (a·cos φ − b·sin φ)/(b·cos φ + a·sin φ).
DEVICE Angle first_quadrant(double a, double b) {
  if (16 * a < 7 * b) {
    double t = a / b;
    return {t, -(t * atan_rest(t))};
  }
  if (16 * a < 11 * b) return atan_from({4.63647609000806093515e-01, 2.26987774529616870924e-17}, (2 * a - b) / (2 * b + a));
  if (16 * a < 19 * b) return atan_from({7.85398163397448278999e-01, 3.06161699786838301793e-17}, (a - b) / (a + b));
  if (16 * a < 39 * b) return atan_from({9.82793723247329054082e-01, 1.39033110312309984516e-17}, (2 * a - 3 * b) / (2 * b + 3 * a));
  return atan_from({1.57079632679489655800e+00, 6.12323399573676603587e-17}, -b / a);
}

// angle_on_axes is the angle of (x, y) where one of them is 0, infinite or NaN.
DEVICE double angle_on_axes(double y, double x) {
  double a = magnitude(y), b = magnitude(x), end = infinity<double>();
  if (a != a || b != b) return x + y;
  double angle = pi / 2;
  if (a == 0 || (b == end && a != end)) angle = sign_bits(x) ? pi : 0;
  if (a == end && b == end) angle = sign_bits(x) ? 3 * (pi / 4) : pi / 4;
  return copy_sign(angle, y);
}

// angle returns the angle of the point (x, y) in [−π, π], within 1 ulp, with the sign of y.
DEVICE double angle(double y, double x) {
  double a = magnitude(y), b = magnitude(x);
  if (!(a < infinity<double>() && b < infinity<double>()) || a == 0 || b == 0) return angle_on_axes(y, x);
  if (a / b < 0x1p-60 && x > 0) return y / x;
  double top = greater(a, b);
  double scale = top > 0x1p1000 ? 0x1p-100 : top < 0x1p-800 ? 0x1p200 : 1; // sums and small multiples neither overflow nor lose digits
  Angle t = first_quadrant(a * scale, b * scale);
  if (x < 0) { // π − θ
    double high = pi - t.high;
    t = {high, (pi - high - t.high) + (2 * 6.12323399573676603587e-17 - t.low)};
  }
  return copy_sign(t.high + t.low, y);
}
