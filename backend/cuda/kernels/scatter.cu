// Adding to the rows of a table in the order of the items, laid out by lower_scatter.go. The items' rows have been sorted, and each thread adds to one element
// of the table all that goes there: so no sum is shared, none is an atomic, and work grows with the items alone. A lane of indices may serve several
// elements side by side.
#include "add.h"
#include "fault.h"
#include "items.h"
#include "nest.h"
#include "number.h"

struct Scatter {
  char *table;
  const char *items;
  const Packed *sorted; // rows and positions, by lane of the index and place
  int64_t count;        // threads
  int64_t n, width;     // items of a lane, elements that share its indices
  int64_t rowStride, itemStride;
  int64_t bits;         // of a position
  Nest lane;            // operands: table, items
  Nest beside;          // likewise
};

// scatter gives the first item of every row to a thread for each element beside it, which adds all items of the row; eight are under way.
template <class T> DEVICE void scatter(const Scatter &p) {
  typedef Number<T> N;
  int64_t e = int64_t(block().x) * threads().x + thread().x;
  if (e >= p.count) return;
  int64_t beside = e % p.width, first = e / p.width % p.n, lane = e / p.width / p.n;
  const Packed *sorted = p.sorted + lane * p.n;
  uint64_t row = sorted[first] >> p.bits;
  if (first > 0 && sorted[first - 1] >> p.bits == row) return;

  int64_t at[2] = {};
  place(p.lane, lane, at);
  place(p.beside, beside, at);
  T *to = (T *)p.table + at[0] + int64_t(row) * p.rowStride;
  const T *items = (const T *)p.items + at[1];
  Carried<T> sum = N::load(*to);
  for (int64_t k = first, same = 8; same == 8; k += 8) {
    T x[8];
    same = 0;
    UNROLL for (int i = 0; i < 8; i++) {
      if (same < i || k + i >= p.n || sorted[k + i] >> p.bits != row) continue;
      x[i] = items[position_of(sorted[k + i], p.bits) * p.itemStride];
      same = i + 1;
    }
    UNROLL for (int i = 0; i < 8; i++)
      if (i < same) sum = add(sum, N::load(x[i]));
  }
  *to = N::round(sum);
}

struct Few {
  char *table;
  const char *items;
  const int64_t *index;
  Fault *fault;
  uint64_t command;
  int64_t lanes, n, rows;
  int64_t rowStride, itemStride, indexStride;
  Nest lane; // operands: table, items, index
};

// few is for lanes too short to be worth sorting: the first item of a row looks for the others itself.
template <class T> DEVICE void few(const Few &p) {
  typedef Number<T> N;
  if (failed_before(p.fault, p.command)) return;
  int64_t e = int64_t(block().x) * threads().x + thread().x;
  if (e >= p.lanes * p.n) return;
  int64_t lane = e % p.lanes, first = e / p.lanes;
  int64_t at[3] = {};
  place(p.lane, lane, at);
  const int64_t *index = p.index + at[2];
  int64_t row = index[first * p.indexStride];
  if (uint64_t(row) >= uint64_t(p.rows)) {
    note(p.fault, p.command, e, row);
    return;
  }
  ROLLED for (int64_t k = 0; k < first; k++)
    if (index[k * p.indexStride] == row) return;
  T *to = (T *)p.table + at[0] + row * p.rowStride;
  const T *items = (const T *)p.items + at[1];
  Carried<T> sum = N::load(*to);
  ROLLED for (int64_t k = first; k < p.n; k++)
    if (index[k * p.indexStride] == row) sum = add(sum, N::load(items[k * p.itemStride]));
  *to = N::round(sum);
}

#define SCATTER(name, T) \
  KERNEL(scatter_##name, Scatter, p) { scatter<T>(p); } \
  KERNEL(scatter_few_##name, Few, p) { few<T>(p); }

SCATTER(u8, uint8_t)
SCATTER(i32, int32_t)
SCATTER(i64, int64_t)
SCATTER(f16, F16)
SCATTER(bf16, BF16)
SCATTER(f32, float)
SCATTER(f64, double)
