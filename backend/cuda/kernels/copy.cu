// Copies between views of one shape and type: elements of 1 to 16 bytes, for lowering takes neighbours as one where it can.
#include "nest.h"

struct Copy {
  char *dst;
  const char *src;
  int64_t n;
  Nest nest; // the destination, then the source
};

template <class T> DEVICE void copy(const Copy &p) {
  int64_t step = int64_t(blocks().x) * threads().x;
  for (int64_t i = int64_t(block().x) * threads().x + thread().x; i < p.n; i += step) {
    int64_t at[2] = {};
    place(p.nest, i, at);
    ((T *)p.dst)[at[0]] = ((const T *)p.src)[at[1]];
  }
}

typedef Vec<uint32_t, 4> Quad;

KERNEL(copy_b1, Copy, p) { copy<uint8_t>(p); }
KERNEL(copy_b2, Copy, p) { copy<uint16_t>(p); }
KERNEL(copy_b4, Copy, p) { copy<uint32_t>(p); }
KERNEL(copy_b8, Copy, p) { copy<uint64_t>(p); }
KERNEL(copy_b16, Copy, p) { copy<Quad>(p); }

// A transposition runs in tiles: the source is read along the axis on which it is dense, the destination written along its own.
struct Transpose {
  char *dst;
  const char *src;
  int64_t tiles; // of all matrices
  int64_t rows, columns;
  int64_t dstRow, srcRow; // strides; along the rows the source is dense, along the columns the destination
  int64_t dstColumn, srcColumn;
  Nest matrices; // where each begins in the destination and in the source
};

constexpr int tileSide = 32, tileRows = 8;

template <class T> DEVICE void transpose(const Transpose &p) {
  SHARED2(T, tile, tileSide, tileSide + 1);
  int64_t down = (p.rows + tileSide - 1) / tileSide, right = (p.columns + tileSide - 1) / tileSide;
  for (int64_t t = block().x; t < p.tiles; t += blocks().x) {
    int64_t matrix = t / (down * right), in = t - matrix * (down * right);
    int64_t row = in / right * tileSide, column = in % right * tileSide;
    int64_t at[2] = {};
    place(p.matrices, matrix, at);
    const T *src = (const T *)p.src + at[1];
    T *dst = (T *)p.dst + at[0];
    UNROLL for (int i = 0; i < tileSide; i += tileRows) {
      int64_t r = row + thread().x, c = column + thread().y + i;
      if (r < p.rows && c < p.columns) tile[thread().y + i][thread().x] = src[r * p.srcRow + c * p.srcColumn];
    }
    sync();
    UNROLL for (int i = 0; i < tileSide; i += tileRows) {
      int64_t r = row + thread().y + i, c = column + thread().x;
      if (r < p.rows && c < p.columns) dst[r * p.dstRow + c * p.dstColumn] = tile[thread().x][thread().y + i];
    }
    sync();
  }
}

KERNEL(transpose_b1, Transpose, p) { transpose<uint8_t>(p); }
KERNEL(transpose_b2, Transpose, p) { transpose<uint16_t>(p); }
KERNEL(transpose_b4, Transpose, p) { transpose<uint32_t>(p); }
KERNEL(transpose_b8, Transpose, p) { transpose<uint64_t>(p); }
