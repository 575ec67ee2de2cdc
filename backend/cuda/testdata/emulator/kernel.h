// Kernels and how they are run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace emulator {

// What was compiled for the host.
typedef void (*Entry)(const void *params, const uint32_t *failed);
typedef void (*Function)(const uint64_t *arguments, uint64_t *result);

struct HostKernel {
  Entry entry;
  size_t bytes; // of its parameter
};
struct HostFunction {
  Function call;
  int arguments;
};
const HostKernel *host_kernel(const std::string &name);
const HostFunction *host_function(const std::string &name);

struct Shape {
  uint32_t x, y, z;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

struct Program; // of interpret.h

// Launch is one run of a kernel: by its entry or, if it has none, by its program.
struct Launch {
  int device;
  std::string name;
  Entry entry;
  const Program *program;
  Shape grid, block;
  uint32_t shared; // dynamic
  std::vector<uint64_t> params; // the struct
  const uint32_t *failed;       // the word that every entry looks at, of kernels/gpu.h
};

// The codes that a fault can have.
enum { illegal_address = 700, illegal_instruction = 715, misaligned_address = 716, launch_failed = 719 };

// run returns 0 or the code of what went wrong, which fault_text then says.
int run(const Launch &l);
extern std::string fault_text;

// fault ends the running kernel. It is for code that runs on a GPU thread.
[[noreturn]] void fault(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

// interpret runs a program for all threads of one block, which begin at first.
void interpret(const Program &p, const Launch &l, Shape block);

} // namespace emulator
