// Memory of devices and pinned memory of the host: every allocation stands between pages that nobody may touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace emulator {

enum class Kind { Device, Pinned };

struct Allocation {
  uintptr_t address;
  size_t bytes;
  Kind kind;
  int device;
  bool live;     // from its allocation until its freeing, in order of the program
  bool present;  // may be touched: live, in order of the stream
  bool pooled;
};

// allocate reserves memory, nullptr if there is no address space. make_present makes it accessible and fills it with poison. end_life says that the
// program has freed it, and make_absent takes it away for good.
Allocation *allocate(size_t bytes, Kind kind, int device);
void make_present(Allocation *a);
void end_life(Allocation *a);
void make_absent(Allocation *a);

// find returns the allocation that begins there, around the one that holds [p, p+bytes) whole, nullptr if there is none that is present.
Allocation *find(uintptr_t address);
Allocation *around(uintptr_t p, size_t bytes);

// describe says what an address is near to, for errors.
std::string describe(uintptr_t p);

// damaged returns an allocation whose surroundings were written, nullptr if there is none.
Allocation *damaged();

// in_use returns the bytes of live allocations of a device, and live_count how many allocations of either kind there are.
size_t in_use(int device);
int live_count(int device);
void forget(int device);

} // namespace emulator
