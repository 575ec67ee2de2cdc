// What the environment asks of the emulated machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace emulator {

enum class Order { Random, Forward, Reverse };
enum class Copies { Random, Eager, Lazy };

// Options are read when the driver is initialised and when a device is opened that nobody holds. Any change stands for a new process on a new
// machine: calls are counted from 0, and what was lost is well again. Each is the environment variable WEIR_EMULATOR_NAME.
struct Options {
  uint64_t seed = 1;               // SEED of everything random
  std::vector<Order> order;        // ORDER of threads and blocks: random, forward, reverse; several, with commas, for devices in turn
  std::vector<Copies> copies;      // COPIES asynchronous within a kernel arrive: eager, at once; lazy, when waited for; random; several likewise
  bool deferred = true;            // STREAMS: deferred work runs at random moments until it is waited for; eager at once
  uint64_t memory = 4ull << 30;    // MEMORY of a device in bytes
  int devices = 1;                 // DEVICES there are, 16 at the most
  int capability = 80;             // CAPABILITY: 80 is 8.0
  int version = 12040;             // VERSION of the driver: 12040 is 12.4
  int cublaslt = 120805;           // CUBLASLT: the version of that library
  bool pools = true;               // POOLS: 0 if the device has no stream-ordered memory
  long fail_at = 0;                // FAIL_AT: the n-th call fails, counted from 1, before it does anything
  std::string fail_call;           // FAIL_CALL: count only the calls of that name
  int fail_code = 999;             // FAIL_CODE: how it fails
  bool fail_sticky = false;        // FAIL_STICKY: 1 if every later call fails alike
  long fault_at = 0;               // FAULT_AT: the n-th kernel that runs touches an illegal address
  bool shared = false;             // SHARED: 1 if another library in the process makes no context current between any two entries of the shim
  bool leaks = false;              // LEAKS: 1 refuses to close a device whose objects are not all freed
  std::string log;                 // LOG: the file to which the name of every call is appended
};

extern Options options;

// read_options reports whether they are not what they were.
bool read_options();

// below returns a number in [0, n), from the seed.
uint32_t below(uint32_t n);

// poison fills memory that nobody has written. As a float of any size it is a NaN; as an integer it is large or −1, as the seed is odd or even.
void poison(void *p, size_t bytes);

} // namespace emulator
