// Cumulative sums, laid out by lower_scan.go. Along the axis terms are added one by one, so a thread adds a lane; 32 lanes go through shared memory in
// tiles, which the block's other threads load and store meanwhile.
#include "add.h"
#include "nest.h"
#include "number.h"

struct Scan {
  const char *src;
  char *dst;
  int64_t lanes, n;
  int64_t srcStride, dstStride; // of the axis
  int32_t alongSrc, alongDst;   // whether neighbouring threads move neighbours along the axis, or neighbouring lanes
  Nest lane;                    // operands: source, destination
};

static const int lanesOfTile = 32, termsOfTile = 32, scanThreads = 128;

// Tile holds the terms of each lane in a row, one column too wide so that lanes lie in different banks.
template <class A> using Tile = A[lanesOfTile][termsOfTile + 1];

// each calls move(lane, term) for every place of a tile, threads sharing them out.
template <class Move> DEVICE void each(int id, int movers, bool along, Move move) {
  ROLLED for (int e = id; e < lanesOfTile * termsOfTile; e += movers)
    if (along)
      move(e / termsOfTile, e % termsOfTile);
    else
      move(e % lanesOfTile, e / lanesOfTile);
}

template <class T> DEVICE void load(const Scan &p, Tile<Carried<T>> &to, const int64_t *at, int64_t first, int64_t lane, int id, int movers) {
  each(id, movers, p.alongSrc, [&](int l, int t) {
    if (lane + l < p.lanes && first + t < p.n) to[l][t] = Number<T>::load(((const T *)p.src)[at[l] + (first + t) * p.srcStride]);
  });
}

template <class T> DEVICE void store(const Scan &p, const Tile<Carried<T>> &from, const int64_t *at, int64_t first, int64_t lane, int id, int movers) {
  each(id, movers, p.alongDst, [&](int l, int t) {
    if (lane + l < p.lanes && first + t < p.n) ((T *)p.dst)[at[l] + (first + t) * p.dstStride] = Number<T>::round(from[l][t]);
  });
}

template <class T> DEVICE void scan(const Scan &p) {
  typedef Carried<T> A;
  SHARED(Tile<A>, tiles, 3);
  SHARED(int64_t, srcAt, lanesOfTile);
  SHARED(int64_t, dstAt, lanesOfTile);
  int id = thread().x;
  int64_t lane = int64_t(block().x) * lanesOfTile;
  if (id < lanesOfTile && lane + id < p.lanes) {
    int64_t at[2] = {};
    place(p.lane, lane + id, at);
    srcAt[id] = at[0];
    dstAt[id] = at[1];
  }
  sync();
  load<T>(p, tiles[0], srcAt, 0, lane, id, scanThreads);
  sync();

  // In step i the first warp sums tile i, while the others store tile i−1 and load tile i+1.
  A sum = 0;
  int64_t count = (p.n + termsOfTile - 1) / termsOfTile;
  ROLLED for (int64_t i = 0; i <= count; i++) {
    if (id >= 32) {
      if (i > 0) store<T>(p, tiles[(i - 1) % 3], dstAt, (i - 1) * termsOfTile, lane, id - 32, scanThreads - 32);
      load<T>(p, tiles[(i + 1) % 3], srcAt, (i + 1) * termsOfTile, lane, id - 32, scanThreads - 32);
    } else if (i < count) {
      A *terms = tiles[i % 3][id]; // those behind the last are garbage, and go nowhere
      ROLLED for (int t = 0; t < termsOfTile; t += 8) {
        A x[8];
        UNROLL for (int k = 0; k < 8; k++) x[k] = terms[t + k];
        UNROLL for (int k = 0; k < 8; k++) terms[t + k] = sum = add(sum, x[k]);
      }
    }
    sync();
  }
}

#define SCAN(name, T) \
  BOUNDED_KERNEL(name, Scan, p, scanThreads, 8) { scan<T>(p); }

SCAN(scan_u8, uint8_t)
SCAN(scan_i32, int32_t)
SCAN(scan_i64, int64_t)
SCAN(scan_f16, F16)
SCAN(scan_bf16, BF16)
SCAN(scan_f32, float)
SCAN(scan_f64, double)
