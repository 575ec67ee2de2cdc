// Kernels with a mistake each, which the emulated driver must name. Each is given memory of some bytes.
#include "gpu.h"

struct Wrong {
  char *p;
  uint64_t bytes;
};

KERNEL(right, Wrong, p) {
  if (thread().x < p.bytes) p.p[thread().x] = char(thread().x);
}

KERNEL(reads_beyond, Wrong, p) { p.p[0] = p.p[p.bytes]; }
KERNEL(reads_before, Wrong, p) { p.p[0] = p.p[-1]; }
KERNEL(writes_beyond, Wrong, p) { p.p[p.bytes] = 1; }
KERNEL(reads_nothing, Wrong, p) { p.p[0] = *(const volatile char *)(p.p - p.p + 16); }
KERNEL(misaligned, Wrong, p) { ((Vec<float, 4> *)(p.p + 4))->v[0] = 1; }

KERNEL(beyond_shared_index, Wrong, p) {
  SHARED(int, a, 32);
  a[thread().x + 1] = 1;
  p.p[0] = char(a[thread().x]);
}

KERNEL(beyond_shared_pointer, Wrong, p) {
  SHARED(int, a, 32);
  int *q = a + 1;
  q[thread().x] = 1;
  p.p[0] = char(q[0]);
}

KERNEL(beyond_dynamic_shared, Wrong, p) {
  DYNAMIC_SHARED(char, a);
  p.p[0] = a[p.bytes];
}

KERNEL(half_a_barrier, Wrong, p) {
  if (thread().x < 16) sync();
  p.p[0] = 1;
}

KERNEL(two_barriers, Wrong, p) {
  if (thread().x < 16)
    sync();
  else
    sync();
  p.p[0] = 1;
}

KERNEL(part_of_a_warp, Wrong, p) { p.p[0] = char(shfl_xor(thread().x, 1)); }

KERNEL(copies_misaligned, Wrong, p) {
  SHARED(char, a, 64);
  cp_async<16>(a + 4, p.p);
}

KERNEL(copies_to_global, Wrong, p) { cp_async<16>(p.p, p.p); }

// The result is what the copy has not brought yet.
KERNEL(does_not_wait, Wrong, p) {
  SHARED(float, a, 4);
  cp_async<16>(a, p.p);
  cp_async_commit();
  cp_async_wait<1>();
  ((float *)p.p)[1] = a[0];
}

// Whoever comes first reads what the others have not written.
KERNEL(no_barrier, Wrong, p) {
  SHARED(float, a, 32);
  a[thread().x] = 1;
  if (thread().x < p.bytes / 4) ((float *)p.p)[thread().x] = a[31 - thread().x];
}
