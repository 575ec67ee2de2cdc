// Picking by index along an axis, laid out by lower_gather.go. Bits are moved, so one kernel serves every type of a size; that of 16 bytes serves rows that
// share an index.
#include "fault.h"
#include "nest.h"

struct Gather {
  char *dst;
  const char *table;
  const int64_t *index;
  Fault *fault;
  uint64_t command;
  int64_t count;
  int64_t rows;      // of the table
  int64_t rowStride; // in elements
  int64_t wide;      // of the command's elements that one here holds
  Nest nest;         // operands: destination, table without the axis, index
};

template <class T> DEVICE void gather(const Gather &p) {
  if (failed_before(p.fault, p.command)) return;
  int64_t step = int64_t(blocks().x) * threads().x;
  ROLLED for (int64_t i = int64_t(block().x) * threads().x + thread().x; i < p.count; i += step) {
    int64_t at[3] = {};
    place(p.nest, i, at);
    int64_t row = p.index[at[2]];
    if (uint64_t(row) < uint64_t(p.rows))
      ((T *)p.dst)[at[0]] = ((const T *)p.table)[at[1] + row * p.rowStride];
    else
      note(p.fault, p.command, i * p.wide, row);
  }
}

#define GATHER(name, T) \
  KERNEL(name, Gather, p) { gather<T>(p); }

typedef Vec<uint64_t, 2> Wide;
GATHER(gather_b1, uint8_t)
GATHER(gather_b2, uint16_t)
GATHER(gather_b4, uint32_t)
GATHER(gather_b8, uint64_t)
GATHER(gather_b16, Wide)
