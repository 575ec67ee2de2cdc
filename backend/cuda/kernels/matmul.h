// What the kernels of matrix products share: their parameters, which lower_matmul.go lays out, the way of operands into shared memory, and the way of
// sums out of registers.
//
// A block computes a tile of one product of the batch, of a run of leaves. The terms of a leaf come through shared memory a few at a time, several stages
// ahead. A leaf is summed in the order of its terms; leaves are added as a tree, whose nodes wait in shared memory, each thread's beside the
// others'. Where the leaves of a result are shared out among blocks, the blocks write their totals, which kernels/reduce.h adds.
#pragma once
#include "epilogue.h"
#include "nest.h"
#include "number.h"

struct MatMul {
  const char *a, *b;
  char *d;
  int64_t rows, cols;
  int64_t rowA, colB, rowD, colD; // strides
  int64_t termA, termB;           // likewise, if even
  int64_t leafA, leafB;           // from one leaf to the next
  int64_t total;                  // from the result of one block of leaves to that of the next; 0 if there is one
  int64_t rowTiles, colTiles, batches;
  int32_t leaves, leafBlocks; // of a tree; and what its leaves are cut into
  int32_t leafTerms, lastTerms;
  int32_t run;          // leaves of a block: a power of two
  int32_t even;         // whether neighbouring terms are a stride apart; else terms says where they are
  int32_t wideA, wideB; // whether 16 bytes can be moved at a time
  int32_t wideD;        // whether neighbouring columns can be stored as one
  int32_t partial;      // whether the results are of the carried type
  int32_t accumulate;
  int32_t pad;
  Nest batch; // operands: a, b, d
  Nest trees; // operands: a, b
  Nest terms; // operands: a, b
  Epilogue then;
};

// Panel is the part of an operand that is in shared memory: some lines, rows of a or columns of b, by as many terms as 64 bytes hold. Along, a line's
// terms lie together, and its four chunks of 16 bytes change places with the line's number, so that eight threads that read one chunk each of
// eight neighbouring lines use all banks. Else a term's lines lie together, and Pad elements are between one term and the next.
template <class T, int Lines, bool Along, int Pad> struct Panel {
  static const int chunk = 16 / sizeof(T), depth = 4 * chunk;
  static const int pitch = Along ? depth : Lines + Pad;
  static const int size = Along ? Lines * pitch : depth * pitch;
  DEVICE int at(int line, int term) {
    if (Along) return line * pitch + ((term / chunk) ^ (line >> 1 & 3)) * chunk + term % chunk;
    return term * pitch + line;
  }
};

// Source is a panel's operand at the first term of a leaf.
template <class T> struct Source {
  const T *p;
  int64_t line, term; // strides
  int lines;          // that there are, from p on
  int operand;
  bool wide;
};

// offset returns where a term is.
template <class T> DEVICE int64_t offset(const MatMul &p, const Source<T> &s, uint32_t term) {
  if (p.even) return term * s.term;
  int64_t at[2] = {};
  walk(p.terms, term, at);
  return s.operand ? at[1] : at[0];
}

// copy_some copies the first n of N elements, behind the thread's back if it can, and fills up with zeros.
template <int N, class T> DEVICE void copy_some(T *to, const T *from, const T *anywhere, int n) {
  n = n < 0 ? 0 : n < N ? n : N;
  if constexpr (N * sizeof(T) >= 4)
    cp_async<N * sizeof(T)>(to, n > 0 ? from : anywhere, n * sizeof(T));
  else
    *to = n > 0 ? *from : T{};
}

// fetch begins to fill a panel with terms from first on; zeros stand for lines and terms that are not.
template <class Panel, int Lines, bool Along, int Threads, class T>
DEVICE void fetch(T *to, const MatMul &p, const Source<T> &s, int first, int terms, int id) {
  const int chunk = Panel::chunk, depth = Panel::depth;
  if (s.wide && Along) {
    ROLLED for (int e = id; e < Lines * 4; e += Threads) {
      int line = e / 4, term = e % 4 * chunk;
      copy_some<chunk>(to + Panel::at(line, term), s.p + line * s.line + first + term, s.p, line < s.lines ? terms - first - term : 0);
    }
  } else if (s.wide) {
    ROLLED for (int e = id; e < depth * Lines / chunk; e += Threads) {
      int term = e / (Lines / chunk), line = e % (Lines / chunk) * chunk;
      bool there = first + term < terms;
      copy_some<chunk>(to + Panel::at(line, term), s.p + (there ? offset(p, s, first + term) : 0) + line, s.p, there ? s.lines - line : 0);
    }
  } else {
    ROLLED for (int e = id; e < depth * Lines; e += Threads) {
      int line = Along ? e / depth : e % Lines, term = Along ? e % depth : e / Lines;
      bool there = line < s.lines && first + term < terms;
      copy_some<1>(to + Panel::at(line, term), s.p + (there ? line * s.line + offset(p, s, first + term) : 0), s.p, there);
    }
  }
}

// Tile is the tile of a block, and the run of leaves that it sums.
struct Tile {
  int64_t a, b, d, bias; // where it begins, in elements of the operands
  int leaf, leafEnd;
  int rows, cols; // that there are
};

template <int Rows, int Cols> DEVICE Tile tile_of(const MatMul &p) {
  Tile t;
  int64_t i = block().x, col = i % p.colTiles, at[3] = {}, tree[2] = {};
  i /= p.colTiles;
  int64_t row = i % p.rowTiles;
  i /= p.rowTiles;
  place(p.batch, i % p.batches, at);
  i /= p.batches;
  walk(p.trees, uint32_t(i / p.leafBlocks), tree);
  row *= Rows;
  col *= Cols;
  t.rows = p.rows - row < Rows ? int(p.rows - row) : Rows;
  t.cols = p.cols - col < Cols ? int(p.cols - col) : Cols;
  t.a = at[0] + tree[0] + row * p.rowA;
  t.b = at[1] + tree[1] + col * p.colB;
  t.d = at[2] + i * p.total + row * p.rowD + col * p.colD;
  t.bias = row * p.then.rowBias + col * p.then.colBias;
  t.leaf = int(i % p.leafBlocks) * p.run;
  t.leafEnd = t.leaf + p.run < p.leaves ? t.leaf + p.run : p.leaves;
  return t;
}

// join adds the sums of a leaf, number k of the run, to the tree of which node i, in shared memory, is the total of 2^i leaves; at the end of the
// run it adds the nodes that are left. Nobody but the thread touches its sums in a node.
template <int Threads, class A, int Count> DEVICE void join(A (&sum)[Count], A *nodes, uint32_t k, bool end, int id) {
  int level = 0;
  A *node = nodes + id;
  ROLLED for (; k >> level; level++, node += Threads * Count) {
    bool pair = k >> level & 1;
    if (!pair && !end) break;
    if (!pair) continue;
    UNROLL for (int i = 0; i < Count; i++) sum[i] = node[i * Threads] + sum[i];
  }
  if (end) return;
  UNROLL for (int i = 0; i < Count; i++) node[i * Threads] = sum[i];
}

// finish stores the results of a tile as elements of T: its sums have been laid out in rows, so that each thread has a chunk of a row.
template <class T, int Cols, int Pitch, int Threads, class A> DEVICE void finish(const A *sums, const MatMul &p, const Tile &tile, int id) {
  typedef Number<T> N;
  const int chunk = 16 / sizeof(T), chunks = Cols / chunk;
  ROLLED for (int e = id; e < tile.rows * chunks; e += Threads) {
    int c = e % chunks * chunk;
    T *to = (T *)p.d + tile.d + e / chunks * p.rowD + c * p.colD;
    const A *from = sums + e / chunks * Pitch + c;
    if (p.wideD) {
      if (c >= tile.cols) continue;
      Vec<T, chunk> v, old = {};
      if (p.accumulate) old = *(Vec<T, chunk> *)to;
      UNROLL for (int k = 0; k < chunk; k++) v.v[k] = N::round(p.accumulate ? N::load(old.v[k]) + from[k] : from[k]);
      *(Vec<T, chunk> *)to = v;
    } else {
      ROLLED for (int k = 0; k < chunk && c + k < tile.cols; k++, to += p.colD) *to = N::round(p.accumulate ? N::load(*to) + from[k] : from[k]);
    }
  }
}

// transform stores what the epilogue makes of the results. A thread keeps to one column, its neighbours to those beside it.
template <class T, int Cols, int Pitch, int Threads, class A> DEVICE void transform(const A *sums, const MatMul &p, const Tile &tile, int id) {
  static_assert(Threads % Cols == 0, "the threads are whole rows");
  const int step = Threads / Cols;
  int first = id / Cols, c = id % Cols;
  if (c >= tile.cols) return;
  int64_t at = opaque(tile.d) + first * p.rowD + c * p.colD;
  int64_t bias = opaque(tile.bias) + first * p.then.rowBias + c * p.then.colBias;
  ROLLED for (int r = first; r < tile.rows; r += step, at += step * p.rowD, bias += step * p.then.rowBias) {
    A x = sums[r * Pitch + c];
    if (p.accumulate) x = Number<T>::load(((const T *)p.d)[at]) + x;
    conclude<T>(p.then, p.d, at, bias, x);
  }
}

// Pipeline runs a kernel P, which says its tile, rows by cols of T summed as Sum, in count sums for each of threads; the panels A and B of its operands, and
// whether they are along; how many stages there are, how many terms a step multiplies, and how; which sums are neighbours, and what they become.
template <class P> struct Pipeline {
  typedef typename P::T T;
  typedef typename P::Sum Sum;
  static const int stage = P::A::size + P::B::size;

  DEVICE void fill(const MatMul &p, const Source<T> &a, const Source<T> &b, int step, int terms, T *panels, int id) {
    T *to = panels + step % P::stages * stage;
    fetch<typename P::A, P::rows, P::alongA, P::threads>(to, p, a, step * P::A::depth, terms, id);
    fetch<typename P::B, P::cols, P::alongB, P::threads>(to + P::A::size, p, b, step * P::A::depth, terms, id);
  }

  // leaf sums a leaf. While the terms of one stage are multiplied, those of the next are on their way.
  DEVICE void leaf(Sum (&sum)[P::count], const MatMul &p, const Source<T> &a, const Source<T> &b, int terms, T *panels, int id) {
    UNROLL for (int i = 0; i < P::count; i++) sum[i] = 0;
    const int depth = P::A::depth, ahead = P::stages - 1;
    int steps = (terms + depth - 1) / depth;
    ROLLED for (int s = -ahead; s < steps; s++) {
      cp_async_wait<ahead - 1>();
      sync(); // what stage s brought is there, and the one before is done with
      if (s + ahead < steps) fill(p, a, b, s + ahead, terms, panels, id);
      cp_async_commit();
      if (s < 0) continue;
      const T *panel = panels + s % P::stages * stage;
      int left = terms - s * depth < depth ? terms - s * depth : depth;
      ROLLED for (int t = 0; t < left; t += P::step) P::multiply(sum, panel, panel + P::A::size, t, id);
    }
  }

  DEVICE void run(const MatMul &p) {
    DYNAMIC_SHARED(T, panels);
    Sum *nodes = (Sum *)(panels + P::stages * stage), sum[P::count];
    Tile tile = tile_of<P::rows, P::cols>(p);
    int id = thread().x;
    UNROLL for (int i = 0; i < P::count; i++) sum[i] = 0;
    ROLLED for (int i = tile.leaf; i < tile.leafEnd; i++) {
      Source<T> a = {(const T *)p.a + tile.a + i * p.leafA, p.rowA, p.termA, tile.rows, 0, p.wideA != 0};
      Source<T> b = {(const T *)p.b + tile.b + i * p.leafB, p.colB, p.termB, tile.cols, 1, p.wideB != 0};
      leaf(sum, p, a, b, i == p.leaves - 1 ? p.lastTerms : p.leafTerms, panels, id);
      join<P::threads>(sum, nodes, uint32_t(i - tile.leaf), i == tile.leafEnd - 1, id);
    }
    store(sum, p, tile, panels, id);
  }

  // store lays the sums out where the panels were, and stores them.
  DEVICE void store(const Sum (&sum)[P::count], const MatMul &p, const Tile &tile, T *panels, int id) {
    const int pitch = P::cols + 8; // so that rows begin in different banks
    Sum *sums = (Sum *)panels;
    sync();
    P::groups(id, [&](int r, int c, int i) {
      Vec<Sum, P::width> v;
      UNROLL for (int k = 0; k < P::width; k++) v.v[k] = sum[i + k];
      *(Vec<Sum, P::width> *)(sums + r * pitch + c) = v;
    });
    sync();
    if (sizeof(typename P::Result) != sizeof(Sum) && p.partial)
      finish<Sum, P::cols, pitch, P::threads>(sums, p, tile, id);
    else if (p.then.there)
      transform<typename P::Result, P::cols, pitch, P::threads>(sums, p, tile, id);
    else
      finish<typename P::Result, P::cols, pitch, P::threads>(sums, p, tile, id);
  }
};
