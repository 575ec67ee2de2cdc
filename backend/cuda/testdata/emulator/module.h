// Modules: PTX text, of which the names and the sizes are read, and the bodies of generated entries.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernel.h"

namespace emulator {

// Entry point of a module, compiled for the host under its name or interpreted.
struct EntryPoint {
  std::string name;
  size_t bytes = 0;         // of its first parameter
  bool guarded = false;     // has a second one, an address
  uint32_t shared = 0;      // static
  uint32_t most = 1024;     // threads of a block
  uint32_t allowed = 49152; // shared memory, static and dynamic
  const HostKernel *host = nullptr;
  std::shared_ptr<const Program> program;
};

struct Module {
  std::vector<std::unique_ptr<EntryPoint>> entries;
};

// The codes of modules that do not load.
enum { no_binary = 209, invalid_ptx = 218, unsupported_version = 222 };

// load reads the text. It returns 0, or a code and what is wrong in log.
int load(const char *text, Module *m, std::string *log);

// parse reads the lines of a body, from the one after its brace. It returns what is wrong, "" if nothing.
std::string parse(const std::vector<std::string> &body, int first_line, Program *p);
std::shared_ptr<Program> new_program();

} // namespace emulator
