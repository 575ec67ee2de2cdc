// An index out of range fails the stream: the kernel that finds it notes it in the stream's record, laid out as fault in fault.go, and later
// kernels do nothing.
#pragma once
#include "gpu.h"

struct Fault {
  uint32_t failed; // the word that every entry is given
  uint32_t locked;
  uint64_t command; // which one, by the number that the host gave it
  int64_t place;    // of the index, in row-major order
  int64_t index;
};

// An index command has its own number and looks at the record itself, rather than at the word: its threads go on when one of them has failed, so that
// the first index in row-major order is noted whatever their order.
DEVICE bool failed_before(const Fault *f, uint64_t command) {
  const volatile Fault *now = f;
  return now->failed && now->command != command;
}

DEVICE void note(Fault *f, uint64_t command, int64_t place, int64_t index) {
  while (atomic_cas(&f->locked, 0u, 1u)) {
  }
  fence();
  volatile Fault *now = f;
  if (!now->failed || place < now->place) {
    now->command = command;
    now->place = place;
    now->index = index;
    fence();
    now->failed = 1;
  }
  fence();
  atomic_cas(&f->locked, 1u, 0u);
}
