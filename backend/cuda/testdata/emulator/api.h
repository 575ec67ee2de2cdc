// What the driver's calls share. The shim is their only caller; they check more than a driver does, and refuse what a driver would let pass.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "kernel.h"
#include "memory.h"
#include "module.h"
#include "options.h"
#include "stream.h"

namespace emulator {

enum {
  success = 0,
  invalid_value = 1,
  out_of_memory = 2,
  not_initialized = 3,
  no_device = 100,
  invalid_device = 101,
  invalid_context = 201,
  invalid_handle = 400,
  not_found = 500,
  not_supported = 801,
  capture_unsupported = 900,
  unknown = 999,
};

struct Pool {
  int device;
};

// Context is a device's primary one, with all that was made in it.
struct Context {
  int device;
  int holders;
  std::set<Stream *> streams;
  std::set<Module *> modules;
  std::set<Pool *> pools;
  std::set<Graph *> graphs;
  std::map<Event *, std::shared_ptr<Event>> events;
  std::map<EntryPoint *, Module *> functions;
};

extern std::mutex mutex;
extern thread_local Context *current;
extern long launches;  // kernels that have run on this machine

// complain says on the standard error what a driver would not say, and returns the code.
int complain(int code, const std::string &what);

// count returns the code that this call is to fail with, if it is its turn. enter also wants a context that works.
int count(const char *name);
int enter(const char *name);

// NEW begins a call that needs no context, ENTER one that does.
#define NEW(name) \
  std::lock_guard<std::mutex> lock(mutex); \
  if (int code = count(name)) return code;
#define ENTER(name) \
  std::lock_guard<std::mutex> lock(mutex); \
  if (int code = enter(name)) return code;

#define API extern "C" __attribute__((visibility("default"))) int

template <class T> bool has(const std::set<T *> &all, const void *p) { return all.count((T *)p) > 0; }

// stream_of and event_of return what the handle stands for in the current context, or null. waiting_stream_of is for calls that cannot be captured.
Stream *stream_of(void *p);
int waiting_stream_of(void *p, Stream **s);
std::shared_ptr<Event> event_of(void *p);

// erase_from takes a handle out of what the context has, and deletes it.
template <class T> int erase_from(std::set<T *> &all, void *p) {
  if (!has(all, p)) return invalid_handle;
  all.erase((T *)p);
  delete (T *)p;
  return success;
}

// copy_node and fill_node move bytes when their turn has come; run_kernel runs a kernel.
int copy_node(uint64_t dst, uint64_t src, size_t bytes);
int fill_node(uint64_t dst, int value, size_t bytes);
int run_kernel(const Launch &l);

// library_leak names an object of cublasLt that was not destroyed, or is null.
const char *library_leak();
void forget_library();

// prepare checks a launch and makes it, with a copy of its parameters.
int prepare(void *function, Shape grid, Shape block, unsigned shared, void **params, Launch *l);

} // namespace emulator
