// Exact matrix products of float32 and float64: a leaf is the chain of fused multiply-adds over its terms in order, whatever the tile. A kernel's name
// says its tile, and for a and b whether their terms lie along the lines in memory (k) or the lines side by side (l).
#pragma once
#include "matmul.h"

// lines says which lines of a tile thread t of Threads has: neighbours share a chunk where the panel's lines do.
template <int Count, int Threads, bool Along, int Chunk> DEVICE int line_of(int t, int i) {
  if (Along || Count % Chunk) return t + i * Threads;
  return i / Chunk * Threads * Chunk + t * Chunk + i % Chunk;
}

// Lines reads what a thread has of the lines of a panel.
template <class Panel, class T, int Count, int Threads, bool Along> struct Lines {
  static const int chunk = Panel::chunk;
  DEVICE int at(int t, int i) { return line_of<Count, Threads, Along, chunk>(t, i); }

  // terms reads terms of a chunk of line i.
  template <int N = chunk> DEVICE Vec<T, N> terms(const T *panel, int t, int i, int term) { return *(const Vec<T, N> *)(panel + Panel::at(at(t, i), term)); }

  // lines reads one term of all lines.
  DEVICE void lines(T (&x)[Count], const T *panel, int t, int term) {
    const int width = Count % chunk ? 1 : chunk;
    UNROLL for (int i = 0; i < Count; i += width) {
      Vec<T, width> v = *(const Vec<T, width> *)(panel + Panel::at(at(t, i), term));
      UNROLL for (int k = 0; k < width; k++) x[i + k] = v.v[k];
    }
  }
};

// Product is a kernel: its tile of Rows by Cols, and what each thread computes of it. A warp's threads are in eight columns, so that what they read of
// both panels is little.
template <class Element, int Rows, int Cols, int RowsEach, int ColsEach, bool AlongA, bool AlongB> struct Product {
  typedef Element T, Sum, Result;
  static const int rows = Rows, cols = Cols, threadRows = Rows / RowsEach, threadCols = Cols / ColsEach, threads = threadRows * threadCols;
  static const int count = RowsEach * ColsEach, stages = 2;
  static const bool alongA = AlongA, alongB = AlongB;
  typedef Panel<T, Rows, AlongA, 0> A;
  typedef Panel<T, Cols, AlongB, 0> B;
  typedef Lines<A, T, RowsEach, threadRows, AlongA> ALines;
  typedef Lines<B, T, ColsEach, threadCols, AlongB> BLines;
  static const int chunk = A::chunk, step = chunk, width = AlongB || ColsEach % chunk ? 1 : chunk;
  static const int across = threadCols < 8 ? threadCols : 8, warpsAcross = threadCols / across;

  DEVICE int row_of(int id) { return id / 32 / warpsAcross * (32 / across) + id % 32 / across; }
  DEVICE int col_of(int id) { return id / 32 % warpsAcross * across + id % across; }

  DEVICE void multiply(T (&sum)[count], const T *a, const T *b, int term, int id) { multiply(sum, a, b, term, row_of(id), col_of(id)); }

  // multiply adds the products of a chunk of terms.
  DEVICE void multiply(T (&sum)[count], const T *a, const T *b, int term, int row, int col) {
    if constexpr (AlongA && AlongB)
      multiplyAlong(sum, a, b, term, row, col);
    else if constexpr (AlongA) {
      const int part = chunk / 2; // half a chunk at a time, or there are not enough registers for the largest tile
      ROLLED for (int k = 0; k < chunk; k += part) {
        Vec<T, part> x[RowsEach];
        UNROLL for (int i = 0; i < RowsEach; i++) x[i] = ALines::template terms<part>(a, row, i, term + k);
        UNROLL for (int l = 0; l < part; l++) {
          T y[ColsEach];
          BLines::lines(y, b, col, term + k + l);
          outer(sum, [&](int i) { return x[i].v[l]; }, [&](int j) { return y[j]; });
        }
      }
    } else if constexpr (AlongB) {
      Vec<T, chunk> y[ColsEach];
      UNROLL for (int j = 0; j < ColsEach; j++) y[j] = BLines::terms(b, col, j, term);
      UNROLL for (int k = 0; k < chunk; k++) {
        T x[RowsEach];
        ALines::lines(x, a, row, term + k);
        outer(sum, [&](int i) { return x[i]; }, [&](int j) { return y[j].v[k]; });
      }
    } else {
      ROLLED for (int k = 0; k < chunk; k++) {
        T x[RowsEach], y[ColsEach];
        ALines::lines(x, a, row, term + k);
        BLines::lines(y, b, col, term + k);
        outer(sum, [&](int i) { return x[i]; }, [&](int j) { return y[j]; });
      }
    }
  }

  template <class X, class Y> DEVICE void outer(T (&sum)[count], X x, Y y) {
    UNROLL for (int i = 0; i < RowsEach; i++)
      UNROLL for (int j = 0; j < ColsEach; j++) sum[i * ColsEach + j] = fma(x(i), y(j), sum[i * ColsEach + j]);
  }

  // multiplyAlong has only one column at a time in registers.
  DEVICE void multiplyAlong(T (&sum)[count], const T *a, const T *b, int term, int row, int col) {
    Vec<T, chunk> x[RowsEach];
    UNROLL for (int i = 0; i < RowsEach; i++) x[i] = ALines::terms(a, row, i, term);
    UNROLL for (int j = 0; j < ColsEach; j++) {
      Vec<T, chunk> y = BLines::terms(b, col, j, term);
      UNROLL for (int k = 0; k < chunk; k++)
        UNROLL for (int i = 0; i < RowsEach; i++) sum[i * ColsEach + j] = fma(x[i].v[k], y.v[k], sum[i * ColsEach + j]);
    }
  }

  template <class Visit> DEVICE void groups(int id, Visit visit) {
    UNROLL for (int i = 0; i < RowsEach; i++)
      UNROLL for (int j = 0; j < ColsEach; j += width) visit(ALines::at(row_of(id), i), BLines::at(col_of(id), j), i * ColsEach + j);
  }
};

#define MATMUL(name, T, Rows, Cols, RowsEach, ColsEach, AlongA, AlongB, blocks) \
  BOUNDED_KERNEL(name, MatMul, p, (Rows / RowsEach * (Cols / ColsEach)), blocks) { \
    Pipeline<Product<T, Rows, Cols, RowsEach, ColsEach, AlongA, AlongB>>::run(p); \
  }
#define LAYOUTS(name, T, Rows, Cols, RowsEach, ColsEach, blocks) \
  MATMUL(name##_kk, T, Rows, Cols, RowsEach, ColsEach, true, true, blocks) \
  MATMUL(name##_kl, T, Rows, Cols, RowsEach, ColsEach, true, false, blocks) \
  MATMUL(name##_lk, T, Rows, Cols, RowsEach, ColsEach, false, true, blocks) \
  MATMUL(name##_ll, T, Rows, Cols, RowsEach, ColsEach, false, false, blocks)
