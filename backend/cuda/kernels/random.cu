// Philox4x32-10, by the logical index of the element: see backend.RandomKind. A thread makes the elements of one counter.
#include "math.h"
#include "nest.h"

struct Random {
  char *dst;
  const int64_t *state; // seed, and the offset in counters, stateStride further
  int64_t stateStride;
  uint64_t base; // the logical index of the first element
  uint64_t n;
  uint64_t counters; // that n elements from base on take
  Nest nest;
};

// Words are those of one counter.
struct Words {
  uint32_t w[4];
};

DEVICE Words philox(uint64_t seed, uint64_t counter) {
  uint32_t c0 = uint32_t(counter), c1 = uint32_t(counter >> 32), c2 = 0, c3 = 0;
  uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
  UNROLL for (int round = 0; round < 10; round++) {
    uint64_t p0 = uint64_t(0xD2511F53) * c0, p1 = uint64_t(0xCD9E8D57) * c2;
    c0 = uint32_t(p1 >> 32) ^ c1 ^ k0;
    c1 = uint32_t(p1);
    c2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c3 = uint32_t(p0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return {c0, c1, c2, c3};
}

// draw makes the elements of each counter: N of them, stored as T.
template <class T, int N, class Make> DEVICE void draw(const Random &p, Make make) {
  uint64_t seed = uint64_t(p.state[0]), offset = uint64_t(p.state[p.stateStride]);
  uint64_t first = p.base / N;
  uint64_t step = uint64_t(blocks().x) * threads().x;
  bool dense = p.nest.rank == 0 || (p.nest.rank == 1 && p.nest.strides[0][0] == 1);
  for (uint64_t c = uint64_t(block().x) * threads().x + thread().x; c < p.counters; c += step) {
    Vec<T, N> made = make(philox(seed, offset + first + c));
    uint64_t i = (first + c) * N - p.base; // of the first element; before the first of all it wraps
    T *at = (T *)p.dst + i;
    if (dense && i < p.n && p.n - i >= N && uint64_t(at) % sizeof made == 0) {
      *(Vec<T, N> *)at = made;
      continue;
    }
    UNROLL for (int j = 0; j < N; j++) {
      if (i + j < p.n) {
        int64_t to[1] = {};
        place(p.nest, int64_t(i + j), to);
        ((T *)p.dst)[to[0]] = made.v[j];
      }
    }
  }
}

KERNEL(random_bits_u8, Random, p) {
  draw<uint8_t, 4>(p, [](Words w) { return Vec<uint8_t, 4>{{uint8_t(w.w[0]), uint8_t(w.w[1]), uint8_t(w.w[2]), uint8_t(w.w[3])}}; });
}
KERNEL(random_bits_i32, Random, p) {
  draw<uint32_t, 4>(p, [](Words w) { return Vec<uint32_t, 4>{{w.w[0], w.w[1], w.w[2], w.w[3]}}; });
}
KERNEL(random_bits_i64, Random, p) {
  draw<uint64_t, 2>(p, [](Words w) { return Vec<uint64_t, 2>{{uint64_t(w.w[1]) << 32 | w.w[0], uint64_t(w.w[3]) << 32 | w.w[2]}}; });
}

DEVICE float uniform(uint32_t w) { return float(w >> 8) * 0x1p-24f; }
DEVICE double uniform(uint32_t w0, uint32_t w1) { return double(uint64_t(w0 >> 5) << 26 | w1 >> 6) * 0x1p-53; }

// Pair is a pair of normals.
template <class T> struct Pair {
  T cos, sin;
};

// normals are sqrt(−2 ln u)·cos 2πv and ·sin 2πv with u = (w0 + ½)·2⁻³², v = w1·2⁻³². Neither is rounded before it is reduced: the mantissa of u less 1
// comes from its integer, and what the nearest quarter turn leaves of v too, in two parts.
DEVICE Pair<float> normals(uint32_t w0, uint32_t w1) {
  uint64_t x = uint64_t(w0) << 1 | 1; // u·2³³
  uint32_t zeros = clz(x);
  x <<= zeros; // in [2⁶³, 2⁶⁴)
  bool above = x >= 3ull << 62;
  float k = float(int(31 - zeros) - 1 + above);
  float f = above ? float(int64_t(x)) * 0x1p-64f : float(x ^ 1ull << 63) * 0x1p-63f;
  float radius = sqrt(-2 * log_reduced(k, f));
  int32_t rest = int32_t(w1 << 2) >> 2;
  uint32_t quarters = (w1 - uint32_t(rest)) >> 30;
  constexpr float turn = 0x1.921fb6p-30f, turn_low = -0x1.777a5cp-55f; // 2π·2⁻³²
  float high = float(rest), low = float(rest - int32_t(high));
  float r = fma(high, turn, fma(low, turn, high * turn_low));
  float r2 = r * r;
  float sin = fma(r * r2, polynomial(r2, -0.166666672, 0.00833332911, -0.000198393042, 2.71804652e-06), r);
  float cos = polynomial(r2, 1, -0.5, 0.0416666456, -0.00138873095, 2.44324146e-05);
  return {radius * turned(sin, cos, quarters + 1), radius * turned(sin, cos, quarters)};
}

// normals of float64 are of u = 1 − uniform, v = uniform.
DEVICE Pair<double> normals(double u, double v) {
  constexpr double turn = 0x1.921fb54442d18p2, turn_low = 0x1.1a62633145c07p-52; // 2π
  Split<double> s = split(u);
  double radius = sqrt(-2 * log_reduced(s.k, s.mantissa - 1));
  double quarters = rint(v * 4);
  double rest = fma(quarters, -0.25, v); // exact
  double r = rest * turn;
  double low = fma(rest, turn_low, fma(rest, turn, -r));
  uint64_t k = uint64_t(quarters);
  return {radius * sine_of({r, low, k}, 1), radius * sine_of({r, low, k}, 0)};
}

struct Plain {
  typedef float Stored;
  DEVICE float round(float x) { return x; }
};
struct Half {
  typedef uint16_t Stored;
  DEVICE uint16_t round(float x) { return f32_to_f16(x); }
};
struct Brain {
  typedef uint16_t Stored;
  DEVICE uint16_t round(float x) { return f32_to_bf16(x); }
};

template <class As> DEVICE void draw_uniforms(const Random &p) {
  typedef typename As::Stored T;
  draw<T, 4>(p, [](Words w) {
    return Vec<T, 4>{{As::round(uniform(w.w[0])), As::round(uniform(w.w[1])), As::round(uniform(w.w[2])), As::round(uniform(w.w[3]))}};
  });
}

template <class As> DEVICE void draw_normals(const Random &p) {
  typedef typename As::Stored T;
  draw<T, 4>(p, [](Words w) {
    Pair<float> a = normals(w.w[0], w.w[1]), b = normals(w.w[2], w.w[3]);
    return Vec<T, 4>{{As::round(a.cos), As::round(a.sin), As::round(b.cos), As::round(b.sin)}};
  });
}

KERNEL(random_uniform_f32, Random, p) { draw_uniforms<Plain>(p); }
KERNEL(random_uniform_f16, Random, p) { draw_uniforms<Half>(p); }
KERNEL(random_uniform_bf16, Random, p) { draw_uniforms<Brain>(p); }
KERNEL(random_uniform_f64, Random, p) {
  draw<double, 2>(p, [](Words w) { return Vec<double, 2>{{uniform(w.w[0], w.w[1]), uniform(w.w[2], w.w[3])}}; });
}
KERNEL(random_normal_f32, Random, p) { draw_normals<Plain>(p); }
KERNEL(random_normal_f16, Random, p) { draw_normals<Half>(p); }
KERNEL(random_normal_bf16, Random, p) { draw_normals<Brain>(p); }
KERNEL(random_normal_f64, Random, p) {
  draw<double, 2>(p, [](Words w) {
    Pair<double> a = normals(1 - uniform(w.w[0], w.w[1]), uniform(w.w[2], w.w[3]));
    return Vec<double, 2>{{a.cos, a.sin}};
  });
}
