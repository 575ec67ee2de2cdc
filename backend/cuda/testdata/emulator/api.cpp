// The driver's calls about itself, devices and contexts.
#include "api.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace emulator {

std::mutex mutex;
thread_local Context *current;

namespace {

const std::map<int, std::pair<const char *, const char *>> codes = {
    {success, {"CUDA_SUCCESS", "no error"}},
    {invalid_value, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
    {out_of_memory, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
    {not_initialized, {"CUDA_ERROR_NOT_INITIALIZED", "initialization error"}},
    {no_device, {"CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}},
    {invalid_device, {"CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"}},
    {invalid_context, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
    {no_binary, {"CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"}},
    {invalid_ptx, {"CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"}},
    {unsupported_version, {"CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."}},
    {invalid_handle, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
    {not_found, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
    {illegal_address, {"CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"}},
    {illegal_instruction, {"CUDA_ERROR_ILLEGAL_INSTRUCTION", "an illegal instruction was encountered"}},
    {misaligned_address, {"CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"}},
    {launch_failed, {"CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"}},
    {not_supported, {"CUDA_ERROR_NOT_SUPPORTED", "operation not supported"}},
    {capture_unsupported, {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"}},
    {unknown, {"CUDA_ERROR_UNKNOWN", "unknown error"}},
};

bool initialized;
long calls;
std::map<int, Context> contexts;

void log_call(const char *name) {
  if (options.log.empty()) return;
  FILE *f = fopen(options.log.c_str(), "a");
  if (!f) return;
  fprintf(f, "%s\n", name);
  fclose(f);
}

bool held() {
  return std::any_of(contexts.begin(), contexts.end(), [](auto &c) { return c.second.holders > 0; });
}

void refresh() {
  if (held() || !read_options()) return;
  calls = launches = 0;
  std::fill(lost, lost + most_devices, success);
  fault_text.clear();
}

const char *name_of_leak(const Context &c) {
  if (!c.streams.empty()) return "a stream";
  if (!c.events.empty()) return "an event";
  if (!c.modules.empty()) return "a module";
  if (!c.graphs.empty()) return "a graph";
  if (!c.pools.empty()) return "a pool";
  if (const char *leak = library_leak()) return leak;
  return live_count(c.device) ? "memory" : nullptr;
}

void close_context(Context *c) {
  drain_all();
  for (Stream *s : c->streams) {
    close_stream(s);
    delete s;
  }
  for (Module *m : c->modules) delete m;
  for (Graph *g : c->graphs) delete g;
  for (Pool *p : c->pools) delete p;
  forget(c->device);
  if (!held()) forget_library();
  int device = c->device;
  *c = Context{};
  c->device = device;
}

} // namespace

int complain(int code, const std::string &what) {
  fprintf(stderr, "emulator: %s\n", what.c_str());
  return code;
}

int count(const char *name) {
  log_call(name);
  if (!options.fail_call.empty() && options.fail_call != name) return success;
  if (++calls != options.fail_at) return success;
  if (options.fail_sticky) std::fill(lost, lost + most_devices, options.fail_code);
  return options.fail_code;
}

int enter(const char *name) {
  int code = count(name);
  if (code) return code;
  if (!initialized) return not_initialized;
  if (!current || !current->holders) return invalid_context;
  if (options.deferred) wander();
  return lost[current->device];
}

Stream *stream_of(void *p) { return has(current->streams, p) ? (Stream *)p : nullptr; }

int waiting_stream_of(void *p, Stream **s) {
  *s = stream_of(p);
  if (!*s) return invalid_handle;
  return (*s)->capture ? complain(capture_unsupported, "a stream that is being captured is waited for") : int(success);
}

std::shared_ptr<Event> event_of(void *p) {
  auto it = current->events.find((Event *)p);
  return it == current->events.end() ? nullptr : it->second;
}

} // namespace emulator

using namespace emulator;

API cuInit(unsigned flags) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    refresh();
  }
  NEW("cuInit")
  if (flags) return invalid_value;
  initialized = true;
  return options.devices ? success : no_device;
}

API cuDriverGetVersion(int *version) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    refresh();
  }
  NEW("cuDriverGetVersion")
  *version = options.version;
  return success;
}

API cuGetErrorName(int code, const char **name) {
  auto it = codes.find(code);
  *name = it == codes.end() ? nullptr : it->second.first;
  return it == codes.end() ? invalid_value : success;
}

// cuGetErrorString says of a lost device what the kernel did, too.
API cuGetErrorString(int code, const char **text) {
  std::lock_guard<std::mutex> lock(mutex);
  static std::map<std::string, bool> texts; // they live on
  auto it = codes.find(code);
  *text = nullptr;
  if (it == codes.end()) return invalid_value;
  std::string whole = it->second.second;
  if (std::count(lost, lost + most_devices, code) && !fault_text.empty()) whole += ": " + fault_text;
  *text = texts.emplace(whole, true).first->first.c_str();
  return success;
}

API cuDeviceGetCount(int *n) {
  NEW("cuDeviceGetCount")
  if (!initialized) return not_initialized;
  *n = options.devices;
  return success;
}

API cuDeviceGet(int *device, int ordinal) {
  NEW("cuDeviceGet")
  if (!initialized) return not_initialized;
  if (ordinal < 0 || ordinal >= options.devices) return invalid_device;
  *device = ordinal;
  return success;
}

API cuDeviceGetName(char *name, int size, int device) {
  NEW("cuDeviceGetName")
  if (device < 0 || device >= options.devices) return invalid_device;
  snprintf(name, size_t(size), "Emulated GPU");
  return success;
}

API cuDeviceGetAttribute(int *value, int attribute, int device) {
  NEW("cuDeviceGetAttribute")
  if (device < 0 || device >= options.devices) return invalid_device;
  switch (attribute) {
  case 75: *value = options.capability / 10; return success;
  case 76: *value = options.capability % 10; return success;
  case 115: *value = options.pools; return success;
  }
  return complain(invalid_value, "device attribute " + std::to_string(attribute) + " is not emulated");
}

API cuDevicePrimaryCtxRetain(void **context, int device) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    refresh();
  }
  NEW("cuDevicePrimaryCtxRetain")
  if (!initialized) return not_initialized;
  if (device < 0 || device >= options.devices) return invalid_device;
  if (lost[device]) return lost[device];
  Context &c = contexts[device];
  c.device = device;
  c.holders++;
  *context = &c;
  return success;
}

API cuDevicePrimaryCtxRelease_v2(int device) {
  NEW("cuDevicePrimaryCtxRelease_v2")
  Context &c = contexts[device];
  if (!c.holders) return invalid_context;
  if (--c.holders) return lost[device];
  drain_all();
  const char *leak = name_of_leak(c);
  close_context(&c);
  if (leak && options.leaks) return complain(invalid_value, std::string("a device is closed while ") + leak + " of it is not");
  return lost[device];
}

// cuCtxGetCurrent is neither counted nor logged: it reads a variable of the thread, and an entry of the shim begins with it. Where another library
// shares the process, it has made none current since the last entry.
API cuCtxGetCurrent(void **context) {
  std::lock_guard<std::mutex> lock(mutex);
  if (options.shared) current = nullptr;
  *context = current;
  return success;
}

API cuCtxSetCurrent(void *context) {
  NEW("cuCtxSetCurrent")
  if (context && !((Context *)context)->holders) return invalid_context;
  current = (Context *)context;
  return success;
}
