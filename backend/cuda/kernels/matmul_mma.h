// Matrix products on tensor cores: of float16 and bfloat16, and of float32 rounded to TF32 or split into two of those. Sums are float32. A kernel's name
// says its tile, and for a and b whether their terms lie along the lines in memory (k) or the lines side by side (l).
#pragma once
#include "matmul.h"

// A Kind is a way to multiply 32 bytes of terms: 16 rows of a, as four words of each lane, by 8 columns of b, as two.
struct Half {
  typedef F16 Element;
  DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma_f16(d, a, b); }
};
struct Brain {
  typedef BF16 Element;
  DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma_bf16(d, a, b); }
};
struct Tensor {
  typedef float Element;
  template <int N> DEVICE void round(uint32_t (&x)[N], const uint32_t (&from)[N]) {
    UNROLL for (int i = 0; i < N; i++) x[i] = to_tf32(as_float(from[i]));
  }
  DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    uint32_t x[4], y[2];
    round(x, a);
    round(y, b);
    mma_tf32(d, x, y);
  }
};

// Split keeps what rounding to TF32 leaves as a second TF32. The product of the two rests is below what float32 holds.
struct Split : Tensor {
  template <int N> DEVICE void rest(uint32_t (&x)[N], const uint32_t (&from)[N], const uint32_t (&rounded)[N]) {
    UNROLL for (int i = 0; i < N; i++) x[i] = to_tf32(as_float(from[i]) - as_float(rounded[i]));
  }
  DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    uint32_t x[4], y[2], restX[4], restY[2];
    round(x, a);
    round(y, b);
    rest(restX, a, x);
    rest(restY, b, y);
    mma_tf32(d, restX, y);
    mma_tf32(d, x, restY);
    mma_tf32(d, x, y);
  }
};

// Fragments reads what the lanes of a warp multiply: 16 lines of a panel by two chunks of terms, as four matrices of 8 lines by a chunk. Their
// order is that of the lines first for a, and that of the terms for b.
template <class Panel, class T, bool Along> struct Fragments {
  static const int chunk = Panel::chunk;

  DEVICE void rows(uint32_t (&x)[4], const T *panel, int line, int term, int lane) {
    int matrix = lane / 8;
    read(x, panel, line + matrix % 2 * 8, term + matrix / 2 * chunk, lane % 8);
  }
  DEVICE void cols(uint32_t (&x)[4], const T *panel, int line, int term, int lane) {
    int matrix = lane / 8;
    read(x, panel, line + matrix / 2 * 8, term + matrix % 2 * chunk, lane % 8);
  }

  // read has the lane give the address of row number row of its matrix.
  DEVICE void read(uint32_t (&x)[4], const T *panel, int line, int term, int row) {
    if constexpr (Along)
      ldmatrix<false>(x, panel + Panel::at(line + row, term));
    else
      ldmatrix<true>(x, panel + Panel::at(line, term + row));
  }
};

// word reads what ldmatrix cannot transpose: of 32-bit elements a lane needs term lane%4 of line lane/4.
template <class Panel, class T> DEVICE uint32_t word(const T *panel, int line, int term, int lane) {
  return bit_cast<uint32_t>(panel[Panel::at(line + lane / 4, term + lane % 4)]);
}

// Product is a kernel: its tile of Rows by Cols, and how many warps share each.
template <class Kind, int Rows, int Cols, int WarpRows, int WarpCols, bool AlongA, bool AlongB> struct Product {
  typedef typename Kind::Element T;
  typedef typename Kind::Element Result;
  typedef float Sum;
  static const int rows = Rows, cols = Cols, threads = 32 * WarpRows * WarpCols, stages = 3;
  static const int rowsEach = Rows / WarpRows, colsEach = Cols / WarpCols, down = rowsEach / 16, across = colsEach / 8;
  static const int count = down * across * 4, pad = 8, width = 2;
  static const bool alongA = AlongA, alongB = AlongB;
  typedef Panel<T, Rows, AlongA, pad> A;
  typedef Panel<T, Cols, AlongB, pad> B;
  static const int chunk = A::chunk, step = 2 * chunk;

  DEVICE int row_of(int id) { return id / 32 / WarpCols * rowsEach; }
  DEVICE int col_of(int id) { return id / 32 % WarpCols * colsEach; }

  DEVICE void readA(uint32_t (&x)[4], const T *panel, int line, int term, int lane) {
    if constexpr (AlongA || sizeof(T) == 2)
      Fragments<A, T, AlongA>::rows(x, panel, line, term, lane);
    else
      UNROLL for (int i = 0; i < 4; i++) x[i] = word<A>(panel, line + i % 2 * 8, term + i / 2 * 4, lane);
  }
  DEVICE void readB(uint32_t (&x)[4], const T *panel, int line, int term, int lane) {
    if constexpr (AlongB || sizeof(T) == 2)
      Fragments<B, T, AlongB>::cols(x, panel, line, term, lane);
    else
      UNROLL for (int i = 0; i < 4; i++) x[i] = word<B>(panel, line + i / 2 * 8, term + i % 2 * 4, lane);
  }

  // multiply adds the products of a step.
  DEVICE void multiply(float (&sum)[count], const T *a, const T *b, int term, int id) {
    int lane = id % 32;
    uint32_t y[across / 2][4];
    UNROLL for (int j = 0; j < across / 2; j++) readB(y[j], b, col_of(id) + j * 16, term, lane);
    UNROLL for (int i = 0; i < down; i++) {
      uint32_t x[4];
      readA(x, a, row_of(id) + i * 16, term, lane);
      UNROLL for (int j = 0; j < across; j++) {
        const uint32_t part[2] = {y[j / 2][j % 2 * 2], y[j / 2][j % 2 * 2 + 1]};
        Kind::multiply(*(float(*)[4])(sum + 4 * (i * across + j)), x, part);
      }
    }
  }

  // groups visits pairs: of each block of 16 by 8 a lane has one in the upper half and one in the lower.
  template <class Visit> DEVICE void groups(int id, Visit visit) {
    int row = row_of(id) + id % 32 / 4, col = col_of(id) + id % 4 * 2;
    UNROLL for (int i = 0; i < 2 * down; i++)
      UNROLL for (int j = 0; j < across; j++) visit(row + i * 8, col + j * 8, 4 * (i / 2 * across + j) + i % 2 * 2);
  }
};

#define MMA(name, Kind, Rows, Cols, WarpRows, WarpCols, AlongA, AlongB, blocks) \
  BOUNDED_KERNEL(name, MatMul, p, 32 * WarpRows * WarpCols, blocks) { Pipeline<Product<Kind, Rows, Cols, WarpRows, WarpCols, AlongA, AlongB>>::run(p); }
#define LAYOUTS(name, Kind, Rows, Cols, WarpRows, WarpCols, blocks) \
  MMA(name##_kk, Kind, Rows, Cols, WarpRows, WarpCols, true, true, blocks) \
  MMA(name##_kl, Kind, Rows, Cols, WarpRows, WarpCols, true, false, blocks) \
  MMA(name##_lk, Kind, Rows, Cols, WarpRows, WarpCols, false, true, blocks) \
  MMA(name##_ll, Kind, Rows, Cols, WarpRows, WarpCols, false, false, blocks)
#define TILES(name, Kind, blocks) \
  LAYOUTS(matmul_##name##_128x128, Kind, 128, 128, 2, 4, blocks) \
  LAYOUTS(matmul_##name##_32x32, Kind, 32, 32, 2, 2, 4)
