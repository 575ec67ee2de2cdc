// The products of a warp and the conversions between floats. How a tensor core rounds its sums is not emulated: they are exact to a double.
#include "gpu.h"

namespace {

constexpr uint32_t infinity = 0x7f800000;

struct Fragments {
  uint32_t a[4], b[2];
};

// Part is what a lane needs of the 16×K and K×8 matrices: two rows, 8 apart, and neighbouring columns.
template <int K> struct Part {
  float a[2][K], b[K][2];
};

void gather(Part<8> &p, const Fragments *f) {
  uint32_t row = emulator::lane() / 4, column = emulator::lane() % 4 * 2;
  for (uint32_t k = 0; k < 8; k++)
    for (uint32_t i = 0; i < 2; i++) {
      p.a[i][k] = as_float(f[row * 4 + k % 4].a[i + k / 4 * 2] & 0xffffe000);
      p.b[k][i] = as_float(f[(column + i) * 4 + k % 4].b[k / 4] & 0xffffe000);
    }
}

void gather(Part<16> &p, const Fragments *f, float (*widen)(uint16_t)) {
  uint32_t row = emulator::lane() / 4, column = emulator::lane() % 4 * 2;
  for (uint32_t k = 0; k < 16; k++)
    for (uint32_t i = 0; i < 2; i++) {
      uint32_t lane = k % 8 / 2, shift = k % 2 * 16;
      p.a[i][k] = widen(uint16_t(f[row * 4 + lane].a[i + k / 8 * 2] >> shift));
      p.b[k][i] = widen(uint16_t(f[(column + i) * 4 + lane].b[k / 8] >> shift));
    }
}

template <int K> void add(float (&d)[4], const Part<K> &p) {
  for (int i = 0; i < 4; i++) {
    double sum = d[i];
    for (int k = 0; k < K; k++) sum += double(p.a[i / 2][k]) * p.b[k][i % 2];
    d[i] = float(sum);
  }
}

const Fragments *fragments(const uint32_t (&a)[4], const uint32_t (&b)[2], int line) {
  Fragments mine;
  __builtin_memcpy(mine.a, a, sizeof a);
  __builtin_memcpy(mine.b, b, sizeof b);
  return (const Fragments *)emulator::exchange(&mine, sizeof mine, line);
}

} // namespace

void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Part<8> p;
  gather(p, fragments(a, b, __LINE__));
  add(d, p);
}

void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Part<16> p;
  gather(p, fragments(a, b, __LINE__), f16_to_f32);
  add(d, p);
}

void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Part<16> p;
  gather(p, fragments(a, b, __LINE__), bf16_to_f32);
  add(d, p);
}

void load_matrices(uint32_t (&r)[4], const void *row, bool transposed) {
  const uint16_t *const *rows = (const uint16_t *const *)emulator::exchange(&row, sizeof row, __LINE__);
  uint32_t lane = emulator::lane(), line = lane / 4, pair = lane % 4 * 2;
  for (uint32_t j = 0; j < 4; j++) {
    const uint16_t *const *m = rows + j * 8;
    r[j] = transposed ? m[pair][line] | uint32_t(m[pair + 1][line]) << 16 : m[line][pair] | uint32_t(m[line][pair + 1]) << 16;
  }
}

float f16_to_f32(uint16_t x) {
  uint32_t sign = uint32_t(x & 0x8000) << 16, exponent = x >> 10 & 31, mantissa = x & 0x3ff;
  if (exponent == 31) return as_float(sign | infinity | mantissa << 13);
  if (exponent == 0) return as_float(sign | bits(float(mantissa) * 0x1p-24f));
  return as_float(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t f32_to_f16(float x) {
  uint32_t sign = bits(x) >> 16 & 0x8000, magnitude = bits(x) & 0x7fffffff;
  if (magnitude > infinity) return 0x7fff;
  if (magnitude >= 0x477ff000) return uint16_t(sign | 0x7c00);                                              // rounds to infinity
  if (magnitude < 0x38800000) return uint16_t(sign | (bits(as_float(magnitude) + 0.5f) - 0x3f000000)); // subnormal: the sum's unit is 2⁻²⁴
  uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return uint16_t(sign | ((rounded - 0x38000000) >> 13));
}

uint16_t f32_to_bf16(float x) {
  uint32_t b = bits(x);
  if ((b & 0x7fffffff) > infinity) return 0x7fff;
  return uint16_t((b + 0x7fff + (b >> 16 & 1)) >> 16);
}

uint32_t to_tf32(float x) {
  uint32_t b = bits(x);
  return (b & infinity) == infinity ? b & 0xffffe000 : (b + 0x1000) & 0xffffe000;
}
