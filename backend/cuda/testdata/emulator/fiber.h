// Fibers: stacks of their own that take turns on one thread of the host.
#pragma once

#include <cstddef>

namespace emulator {

struct Fiber {
  void *stack; // where it left off
  char *memory;
};

// take returns a fiber that begins with main when it is switched to for the first time; main never returns. give puts it back for another take.
Fiber *take(void (*main)());
void give(Fiber *f);

// emulator_switch leaves the running code at *from and goes on at to.
extern "C" void emulator_switch(void **from, void *to);

} // namespace emulator
