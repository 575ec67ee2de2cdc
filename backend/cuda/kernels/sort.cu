// Sorting along an axis, laid out by lower_sort.go: tiles in shared memory by Batcher's bitonic network, longer lanes by merging sorted runs, pairs of runs
// at a time, along merge paths. The last launch reads the values again by their positions, so that they keep their bits.
#include "fault.h"
#include "items.h"
#include "nest.h"
#include "number.h"

static const int tile = 1024, sortThreads = 256;

struct Sort {
  const char *src;
  char *items;      // of a lane after the other, if the lanes are longer than a tile
  char *values;     // else the results
  int64_t *where;
  Fault *fault;     // of a sort of indices
  uint64_t command;
  int64_t rows;     // what indices are less than
  int64_t lanes, n;
  int64_t tiles;    // of a lane
  int64_t valueStride, whereStride, srcStride; // of the axis
  int32_t segment;  // places that a lane takes of a tile: a power of two
  int32_t bits;     // of a position, in an item that packs it
  int32_t descending;
  int32_t finish;   // whether to write the results rather than items
  Nest lane;        // operands: values, positions, source
};

// Key<T> turns a value into its key. Of floats −0 is +0, NaN comes last both ways, and the others are in the order of their bits after the negative
// ones have been turned round.
template <class T> struct Key {
  DEVICE uint64_t of(T x, bool descending) {
    const uint64_t top = uint64_t(1) << (8 * sizeof(T) - 1), all = top | (top - 1);
    uint64_t key = (uint64_t(x) ^ (T(-1) < T(0) ? top : 0)) & all;
    return descending ? key ^ all : key;
  }
};

// of_float takes the bits of a float of that many.
DEVICE uint64_t of_float(uint64_t x, int size, uint64_t infinity, bool descending) {
  const uint64_t top = uint64_t(1) << (size - 1), all = top | (top - 1);
  if ((x & ~top) > infinity) return all;
  if (x == top) x = 0;
  uint64_t key = x & top ? ~x & all : x | top;
  return descending ? key ^ all : key;
}
template <> struct Key<F16> {
  DEVICE uint64_t of(F16 x, bool descending) { return of_float(x.bits, 16, 0x7c00, descending); }
};
template <> struct Key<BF16> {
  DEVICE uint64_t of(BF16 x, bool descending) { return of_float(x.bits, 16, 0x7f80, descending); }
};
template <> struct Key<float> {
  DEVICE uint64_t of(float x, bool descending) { return of_float(bits(x), 32, 0x7f800000, descending); }
};
template <> struct Key<double> {
  DEVICE uint64_t of(double x, bool descending) { return of_float(bits(x), 64, 0x7ff0000000000000, descending); }
};

// network sorts every segment of the tile.
template <class Item> DEVICE void network(Item *items, int segment) {
  ROLLED for (int size = 2; size <= segment; size *= 2) {
    ROLLED for (int distance = size / 2; distance > 0; distance /= 2) {
      sync();
      // The first step of a size compares mirror images, so that every later one goes the same way.
      int flip = distance == size / 2 ? size - 1 : distance;
      ROLLED for (int k = thread().x; k < tile / 2; k += sortThreads) {
        int low = 2 * k - (k & (distance - 1)), high = low ^ flip;
        Item x = items[low], y = items[high];
        if (before(y, x)) {
          items[low] = y;
          items[high] = x;
        }
      }
    }
  }
  sync();
}

// Place is one of a tile: number at of a lane.
struct Place {
  int64_t lane, at;
  bool here;
};

DEVICE Place place_of(const Sort &p, int e) {
  int64_t lane = p.tiles > 1 ? block().x / p.tiles : int64_t(block().x) * (tile / p.segment) + e / p.segment;
  int64_t at = p.tiles > 1 ? block().x % p.tiles * tile + e : e % p.segment;
  return {lane, at, lane < p.lanes && at < p.n};
}

// sort_tile fills a tile with keys, sorts its segments, and writes them as items or, if a tile holds whole lanes, as results.
template <class T, class Item, class ToKey> DEVICE void sort_tile(const Sort &p, ToKey key) {
  SHARED(Item, items, tile);
  ROLLED for (int e = thread().x; e < tile; e += sortThreads) {
    Place to = place_of(p, e);
    last(items[e]);
    if (!to.here) continue;
    int64_t at[3] = {};
    place(p.lane, to.lane, at);
    make(items[e], key(((const T *)p.src)[at[2] + to.at * p.srcStride], to), uint64_t(to.at), p.bits);
  }
  network(items, p.segment);
  ROLLED for (int e = thread().x; e < tile; e += sortThreads) {
    Place to = place_of(p, e);
    if (!to.here) continue;
    if (!p.finish) {
      ((Item *)p.items)[to.lane * p.n + to.at] = items[e];
      continue;
    }
    int64_t from = position_of(items[e], p.bits), at[3] = {};
    place(p.lane, to.lane, at);
    p.where[at[1] + to.at * p.whereStride] = from;
    ((T *)p.values)[at[0] + to.at * p.valueStride] = ((const T *)p.src)[at[2] + from * p.srcStride];
  }
}

#define SORT(name, T, Item) \
  BOUNDED_KERNEL(name, Sort, p, sortThreads, 4) { \
    sort_tile<T, Item>(p, [&](T x, const Place &) { return Key<T>::of(x, p.descending); }); \
  }

SORT(sort_u8, uint8_t, Packed)
SORT(sort_i32, int32_t, Packed)
SORT(sort_i64, int64_t, Pair)
SORT(sort_f16, F16, Packed)
SORT(sort_bf16, BF16, Packed)
SORT(sort_f32, float, Packed)
SORT(sort_f64, double, Pair)

// sort_index sorts indices, each of which must be less than rows, by row and position. One that is not counts as row 0.
BOUNDED_KERNEL(sort_index, Sort, p, sortThreads, 4) {
  if (failed_before(p.fault, p.command)) return;
  sort_tile<int64_t, Packed>(p, [&](int64_t row, const Place &of) {
    if (uint64_t(row) < uint64_t(p.rows)) return uint64_t(row);
    note(p.fault, p.command, of.at * p.lanes + of.lane, row);
    return uint64_t(0);
  });
}

struct Merge {
  const char *from;
  char *to; // both by lane and place
  int64_t n, run, tiles; // runs are sorted; tiles of a lane
};

// split returns how many of the first d items of the merged runs come from the left one. The runs share no item.
template <class Item> DEVICE int64_t split(const Item *left, int64_t lefts, const Item *right, int64_t rights, int64_t d) {
  int64_t lo = d > rights ? d - rights : 0, hi = d < lefts ? d : lefts;
  ROLLED while (lo < hi) {
    int64_t mid = (lo + hi) / 2;
    if (before(left[mid], right[d - 1 - mid]))
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

// merge writes one tile of the merged pair of runs that it lies in.
template <class Item> DEVICE void merge(const Merge &p) {
  SHARED(Item, items, tile);
  SHARED(int64_t, cuts, 2);
  int64_t lane = block().x / p.tiles, first = block().x % p.tiles * tile;
  const Item *from = (const Item *)p.from + lane * p.n;
  int64_t start = first / (2 * p.run) * (2 * p.run);
  int64_t lefts = p.n - start < p.run ? p.n - start : p.run;
  int64_t rights = p.n - start - lefts < p.run ? p.n - start - lefts : p.run;
  const Item *left = from + start, *right = left + lefts;
  int64_t lo = first - start, hi = lo + tile < lefts + rights ? lo + tile : lefts + rights;
  if (thread().x < 2) cuts[thread().x] = split(left, lefts, right, rights, thread().x ? hi : lo);
  sync();

  int64_t from0 = cuts[0], from1 = lo - cuts[0];
  int count0 = int(cuts[1] - cuts[0]), count1 = int(hi - lo) - count0;
  ROLLED for (int e = thread().x; e < count0 + count1; e += sortThreads) items[e] = e < count0 ? left[from0 + e] : right[from1 + e - count0];
  sync();

  const int each = tile / sortThreads;
  int d = thread().x * each;
  if (d >= count0 + count1) return;
  int i = int(split(items, count0, items + count0, count1, d)), j = d - i;
  Item *to = (Item *)p.to + lane * p.n + first;
  ROLLED for (int end = d + each; d < end && d < count0 + count1; d++) {
    bool takeLeft = j == count1 || (i < count0 && before(items[i], items[count0 + j]));
    to[d] = takeLeft ? items[i] : items[count0 + j];
    i += takeLeft;
    j += !takeLeft;
  }
}

BOUNDED_KERNEL(merge_packed, Merge, p, sortThreads, 4) { merge<Packed>(p); }
BOUNDED_KERNEL(merge_pairs, Merge, p, sortThreads, 4) { merge<Pair>(p); }

// finish writes the results of items that are sorted.
template <class T, class Item> DEVICE void finish(const Sort &p) {
  int64_t count = p.lanes * p.n, step = int64_t(blocks().x) * threads().x;
  ROLLED for (int64_t i = int64_t(block().x) * threads().x + thread().x; i < count; i += step) {
    int64_t lane = i / p.n, to = i % p.n, from = position_of(((const Item *)p.items)[i], p.bits), at[3] = {};
    place(p.lane, lane, at);
    p.where[at[1] + to * p.whereStride] = from;
    ((T *)p.values)[at[0] + to * p.valueStride] = ((const T *)p.src)[at[2] + from * p.srcStride];
  }
}

KERNEL(sort_finish_b1, Sort, p) { finish<uint8_t, Packed>(p); }
KERNEL(sort_finish_b2, Sort, p) { finish<uint16_t, Packed>(p); }
KERNEL(sort_finish_b4, Sort, p) { finish<uint32_t, Packed>(p); }
KERNEL(sort_finish_b8, Sort, p) { finish<uint64_t, Pair>(p); }
