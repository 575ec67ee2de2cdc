// Positions of the greatest and the least along one axis, laid out by lower_reduce.go. Any order finds the same one: a NaN before a number, and the first
// of equals. A block takes a piece of the axis for some lanes; where there are several pieces, a further launch chooses among their candidates.
#include "nest.h"
#include "number.h"

struct Arg {
  const char *src;
  char *dst;
  const int64_t *candidates; // positions to choose from, by number and lane; null is all
  int64_t lanes, n;          // n candidates a lane
  int64_t stride;            // of the axis
  int64_t laneBlocks, pieces;
  int64_t piece;             // candidates in a piece
  int32_t across;            // lanes in a block: a power of two
  int32_t last;              // whether the destination is the command's, or scratch: by piece and lane
  Nest lane;                 // operands: source, destination
};

struct Greater {
  template <class A> DEVICE bool beats(A x, A y) { return x > y; }
};
struct Less {
  template <class A> DEVICE bool beats(A x, A y) { return x < y; }
};

// Best is the first of the best so far; nothing yet if position is negative.
template <class A> struct Best {
  A value;
  int64_t position;
};

template <class Order, class A> DEVICE void improve(Best<A> &b, A x, int64_t position) {
  bool better = b.position < 0 || Order::beats(x, b.value);
  bool newNaN = x != x, oldNaN = b.value != b.value;
  bool tied = x == b.value || (newNaN && oldNaN);
  if (b.position >= 0 && newNaN != oldNaN) better = newNaN;
  if (position >= 0 && (better || (tied && position < b.position))) b = {x, position};
}

template <class Order, class T> DEVICE void arg(const Arg &p) {
  typedef Carried<T> A;
  SHARED(A, values, 256);
  SHARED(int64_t, positions, 256);
  int id = thread().x, rows = threads().x / p.across, row = id / p.across;
  int64_t laneBlock = block().x % p.laneBlocks, piece = block().x / p.laneBlocks;
  int64_t lane = laneBlock * p.across + id % p.across;
  int64_t at[2] = {};
  if (lane < p.lanes) place(p.lane, lane, at);
  const T *src = (const T *)p.src + at[0];

  Best<A> best = {A(), -1};
  int64_t end = lane < p.lanes ? piece * p.piece + p.piece : 0;
  if (end > p.n) end = p.n;
  ROLLED for (int64_t i = piece * p.piece + row; i < end; i += rows) {
    int64_t position = p.candidates ? p.candidates[i * p.lanes + lane] : i;
    improve<Order>(best, Number<T>::load(src[position * p.stride]), position);
  }
  values[id] = best.value;
  positions[id] = best.position;
  ROLLED for (int distance = rows / 2; distance > 0; distance /= 2) {
    sync();
    if (row >= distance) continue;
    int other = id + distance * p.across;
    improve<Order>(best, values[other], positions[other]);
    values[id] = best.value;
    positions[id] = best.position;
  }
  if (lane < p.lanes && row == 0) ((int64_t *)p.dst)[p.last ? at[1] : piece * p.lanes + lane] = best.position;
}

#define ARG(name, Order, T) \
  BOUNDED_KERNEL(name, Arg, p, 256, 4) { arg<Order, T>(p); }
#define EVERY(Order, name) \
  ARG(name##_u8, Order, uint8_t) \
  ARG(name##_i32, Order, int32_t) \
  ARG(name##_i64, Order, int64_t) \
  ARG(name##_f16, Order, F16) \
  ARG(name##_bf16, Order, BF16) \
  ARG(name##_f32, Order, float) \
  ARG(name##_f64, Order, double)

EVERY(Greater, argmax)
EVERY(Less, argmin)
