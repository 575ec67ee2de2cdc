// The driver's calls, of which the shim is the only caller. They check more than a driver does, and refuse what a driver would let pass.
#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

#include "kernel.h"
#include "memory.h"
#include "module.h"
#include "options.h"
#include "stream.h"

using namespace emulator;

namespace {

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
  unknown = 999,
};

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
    {unknown, {"CUDA_ERROR_UNKNOWN", "unknown error"}},
};

std::mutex mutex;
bool initialized;
long calls, launches;
thread_local struct Context *current;

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
std::map<int, Context> contexts;

// complain says on the standard error what a driver would not say, and returns the code.
int complain(int code, const std::string &what) {
  fprintf(stderr, "emulator: %s\n", what.c_str());
  return code;
}

void log_call(const char *name) {
  if (options.log.empty()) return;
  FILE *f = fopen(options.log.c_str(), "a");
  if (!f) return;
  fprintf(f, "%s\n", name);
  fclose(f);
}

// count returns the code that this call is to fail with, if it is its turn.
int count(const char *name) {
  log_call(name);
  if (!options.fail_call.empty() && options.fail_call != name) return success;
  if (++calls != options.fail_at) return success;
  if (options.fail_sticky) std::fill(lost, lost + most_devices, options.fail_code);
  return options.fail_code;
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

int enter(const char *name) {
  int code = count(name);
  if (code) return code;
  if (!initialized) return not_initialized;
  if (!current || !current->holders) return invalid_context;
  if (options.deferred) wander();
  return lost[current->device];
}

// NEW begins a call that needs no context, ENTER one that does.
#define NEW(name) \
  std::lock_guard<std::mutex> lock(mutex); \
  if (int code = count(name)) return code;
#define ENTER(name) \
  std::lock_guard<std::mutex> lock(mutex); \
  if (int code = enter(name)) return code;

template <class T> bool has(const std::set<T *> &all, const void *p) { return all.count((T *)p) > 0; }

Stream *stream_of(void *p) { return has(current->streams, p) ? (Stream *)p : nullptr; }

std::shared_ptr<Event> event_of(void *p) {
  auto it = current->events.find((Event *)p);
  return it == current->events.end() ? nullptr : it->second;
}

// erase_from takes a handle out of what the context has, and deletes it.
template <class T> int erase_from(std::set<T *> &all, void *p) {
  if (!has(all, p)) return invalid_handle;
  all.erase((T *)p);
  delete (T *)p;
  return success;
}

// reach checks that memory may be touched when its turn has come.
int reach(uint64_t p, size_t bytes, const char *what) {
  if (around(p, bytes)) return success;
  fault_text = std::string(what) + " of " + std::to_string(bytes) + " bytes at " + describe(p);
  return illegal_address;
}

int allocate_device(uint64_t *p, size_t bytes, Allocation **made) {
  if (!bytes || !p) return invalid_value;
  if (in_use(current->device) + bytes > options.memory) {
    drain_all(); // what is queued to be freed
    if (lost[current->device]) return lost[current->device];
    if (in_use(current->device) + bytes > options.memory) return out_of_memory;
  }
  Allocation *a = allocate(bytes, Kind::Device, current->device);
  if (!a) return out_of_memory;
  *p = a->address;
  *made = a;
  return success;
}

int copy_node(uint64_t dst, uint64_t src, size_t bytes) {
  if (int code = reach(src, bytes, "a copy from")) return code;
  if (int code = reach(dst, bytes, "a copy to")) return code;
  if (dst < src + bytes && src < dst + bytes) return complain(invalid_value, "a copy between memory that overlaps");
  memcpy((void *)dst, (const void *)src, bytes);
  return success;
}

int fill_node(uint64_t dst, int value, size_t bytes) {
  if (int code = reach(dst, bytes, "a fill")) return code;
  memset((void *)dst, value, bytes);
  return success;
}

int run_kernel(const Launch &l) {
  if (++launches == options.fault_at) {
    fault_text = l.name + ": was told to fail";
    return illegal_address;
  }
  int code = run(l);
  if (code) complain(code, fault_text);
  return code;
}

// prepare checks a launch and makes it, with a copy of its parameters.
int prepare(void *function, Shape grid, Shape block, unsigned shared, void **params, Launch *l) {
  EntryPoint *e = (EntryPoint *)function;
  if (!current->functions.count(e)) return invalid_handle;
  if (!grid.count() || !block.count() || grid.y > 65535 || grid.z > 65535 || grid.x > 0x7fffffff) return complain(invalid_value, e->name + ": grid or block out of range");
  if (block.count() > e->most || block.z > 64) return complain(invalid_value, e->name + ": " + std::to_string(block.count()) + " threads; it takes " + std::to_string(e->most));
  if (e->shared + shared > e->allowed) return complain(invalid_value, e->name + ": " + std::to_string(e->shared + shared) + " bytes of shared memory; it may have " + std::to_string(e->allowed));
  if (!params) return invalid_value;
  *l = {current->device, e->name, e->host ? e->host->entry : nullptr, e->program.get(), grid, block, shared, std::vector<uint64_t>((e->bytes + 7) / 8), nullptr};
  memcpy(l->params.data(), params[0], e->bytes);
  if (e->guarded) memcpy(&l->failed, params[1], sizeof l->failed);
  return success;
}

const char *name_of_leak(const Context &c) {
  if (!c.streams.empty()) return "a stream";
  if (!c.events.empty()) return "an event";
  if (!c.modules.empty()) return "a module";
  if (!c.graphs.empty()) return "a graph";
  if (!c.pools.empty()) return "a pool";
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
  int device = c->device;
  *c = Context{};
  c->device = device;
}

// The layouts of the driver's structs.
struct KernelNodeParams {
  void *function;
  unsigned grid[3], block[3], shared;
  void **params, **extra;
};
struct Place {
  size_t x, y, z, lod;
  int type;
  const void *host;
  uint64_t device;
  void *array, *reserved;
  size_t pitch, height;
};
struct CopyNodeParams {
  Place src, dst;
  size_t width, height, depth;
};
struct FillNodeParams {
  uint64_t dst;
  size_t pitch;
  unsigned value, size;
  size_t width, height;
};
struct PoolProperties {
  int type, handles, location, ordinal;
};

// The handle of a node is its number, from 1.
int add_node(void **node, void *graph, void *const *after, size_t n, Work work) {
  if (!has(current->graphs, graph)) return invalid_handle;
  std::vector<Node> &nodes = ((Graph *)graph)->nodes;
  for (size_t i = 0; i < n; i++)
    if (!after[i] || size_t(after[i]) > nodes.size()) return invalid_value;
  for (size_t i = 0; i < n; i++) nodes[size_t(after[i]) - 1].before.push_back(nodes.size());
  nodes.push_back({std::move(work), n, {}});
  *node = (void *)nodes.size();
  return success;
}

} // namespace

#define API extern "C" __attribute__((visibility("default"))) int

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

API cuMemPoolCreate(void **pool, const void *properties) {
  ENTER("cuMemPoolCreate")
  if (!options.pools) return not_supported;
  const PoolProperties *p = (const PoolProperties *)properties;
  if (p->type != 1 || p->location != 1 || p->ordinal != current->device) return invalid_value;
  Pool *made = new Pool{current->device};
  current->pools.insert(made);
  *pool = made;
  return success;
}

API cuMemPoolDestroy(void *pool) {
  ENTER("cuMemPoolDestroy")
  return erase_from(current->pools, pool);
}

API cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
  ENTER("cuMemPoolSetAttribute")
  return has(current->pools, pool) && attribute >= 1 && attribute <= 4 && value ? success : invalid_value;
}

API cuMemPoolTrimTo(void *pool, size_t) {
  ENTER("cuMemPoolTrimTo")
  return has(current->pools, pool) ? success : invalid_value;
}

API cuMemAllocFromPoolAsync(uint64_t *p, size_t bytes, void *pool, void *stream) {
  ENTER("cuMemAllocFromPoolAsync")
  Stream *s = stream_of(stream);
  if (!s || !has(current->pools, pool)) return invalid_handle;
  Allocation *a;
  if (int code = allocate_device(p, bytes, &a)) return code;
  a->pooled = true;
  enqueue(s, {[a] { return make_present(a), int(success); }, nullptr});
  return success;
}

API cuMemFreeAsync(uint64_t p, void *stream) {
  ENTER("cuMemFreeAsync")
  Stream *s = stream_of(stream);
  Allocation *a = find(p);
  if (!s) return invalid_handle;
  if (!a || !a->live || !a->pooled) return complain(invalid_value, "cuMemFreeAsync of " + describe(p));
  end_life(a);
  enqueue(s, {[a] { return make_absent(a), int(success); }, nullptr});
  return success;
}

API cuMemAlloc_v2(uint64_t *p, size_t bytes) {
  ENTER("cuMemAlloc_v2")
  Allocation *a;
  if (int code = allocate_device(p, bytes, &a)) return code;
  make_present(a);
  return success;
}

API cuMemFree_v2(uint64_t p) {
  ENTER("cuMemFree_v2")
  drain_all();
  Allocation *a = find(p);
  if (!a || !a->live || a->pooled || a->kind != Kind::Device) return complain(invalid_value, "cuMemFree of " + describe(p));
  make_absent(a);
  return success;
}

API cuMemHostAlloc(void **p, size_t bytes, unsigned) {
  ENTER("cuMemHostAlloc")
  if (!bytes) return invalid_value;
  Allocation *a = allocate(bytes, Kind::Pinned, current->device);
  if (!a) return out_of_memory;
  make_present(a);
  *p = (void *)a->address;
  return success;
}

API cuMemFreeHost(void *p) {
  ENTER("cuMemFreeHost")
  Allocation *a = find(uintptr_t(p));
  if (!a || !a->live || a->kind != Kind::Pinned) return complain(invalid_value, "cuMemFreeHost of " + describe(uintptr_t(p)));
  if (touches(p)) return complain(invalid_value, "cuMemFreeHost of memory that a queued copy will touch");
  make_absent(a);
  return success;
}

API cuMemcpyHtoDAsync_v2(uint64_t dst, const void *src, size_t bytes, void *stream) {
  ENTER("cuMemcpyHtoDAsync_v2")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  Allocation *pinned = around(uintptr_t(src), bytes);
  if (pinned) {
    enqueue(s, {[=] { return copy_node(dst, uint64_t(src), bytes); }, nullptr, 0, (const void *)pinned->address});
    return success;
  }
  std::string copied((const char *)src, bytes); // what is not pinned is read before the call returns
  enqueue(s, {[=] {
                if (int code = reach(dst, bytes, "an upload")) return code;
                memcpy((void *)dst, copied.data(), bytes);
                return int(success);
              },
              nullptr});
  return success;
}

API cuMemcpyDtoHAsync_v2(void *dst, uint64_t src, size_t bytes, void *stream) {
  ENTER("cuMemcpyDtoHAsync_v2")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  Allocation *pinned = around(uintptr_t(dst), bytes);
  enqueue(s, {[=] {
                if (int code = reach(src, bytes, "a download")) return code;
                memcpy(dst, (const void *)src, bytes);
                return int(success);
              },
              nullptr, 0, pinned ? (const void *)pinned->address : nullptr});
  if (pinned) return success;
  drain(s); // what is not pinned is written before the call returns
  return lost[s->device];
}

API cuMemcpyDtoDAsync_v2(uint64_t dst, uint64_t src, size_t bytes, void *stream) {
  ENTER("cuMemcpyDtoDAsync_v2")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  enqueue(s, {[=] { return copy_node(dst, src, bytes); }, nullptr});
  return success;
}

API cuMemsetD8Async(uint64_t dst, unsigned char value, size_t bytes, void *stream) {
  ENTER("cuMemsetD8Async")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  enqueue(s, {[=] { return fill_node(dst, value, bytes); }, nullptr});
  return success;
}

API cuModuleLoadDataEx(void **module, const void *image, unsigned n, int *keys, void **values) {
  ENTER("cuModuleLoadDataEx")
  auto m = std::make_unique<Module>();
  std::string log;
  int code = load((const char *)image, m.get(), &log);
  char *buffer = nullptr;
  size_t size = 0;
  for (unsigned i = 0; i < n; i++) {
    if (keys[i] == 5) buffer = (char *)values[i];
    if (keys[i] == 6) size = size_t(values[i]);
  }
  if (buffer && size) snprintf(buffer, size, "%s", log.c_str());
  if (code) return code;
  for (auto &e : m->entries) current->functions[e.get()] = m.get();
  current->modules.insert(m.get());
  *module = m.release();
  return success;
}

API cuModuleUnload(void *module) {
  ENTER("cuModuleUnload")
  if (!has(current->modules, module)) return invalid_handle;
  drain_all();
  for (auto it = current->functions.begin(); it != current->functions.end();)
    it = it->second == module ? current->functions.erase(it) : std::next(it);
  return erase_from(current->modules, module);
}

API cuModuleGetFunction(void **function, void *module, const char *name) {
  ENTER("cuModuleGetFunction")
  if (!has(current->modules, module)) return invalid_handle;
  for (auto &e : ((Module *)module)->entries)
    if (e->name == name) {
      *function = e.get();
      return success;
    }
  return not_found;
}

API cuFuncSetAttribute(void *function, int attribute, int value) {
  ENTER("cuFuncSetAttribute")
  EntryPoint *e = (EntryPoint *)function;
  if (!current->functions.count(e)) return invalid_handle;
  uint32_t most = options.capability >= 90 ? 232448 : 166912;
  if (attribute != 8 || value < 0 || e->shared + uint32_t(value) > most) return invalid_value;
  e->allowed = e->shared + uint32_t(value);
  return success;
}

API cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *stream, void **params, void **) {
  ENTER("cuLaunchKernel")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  auto l = std::make_shared<Launch>();
  if (int code = prepare(function, {gx, gy, gz}, {bx, by, bz}, shared, params, l.get())) return code;
  enqueue(s, {[l] { return run_kernel(*l); }, nullptr});
  return success;
}

API cuStreamCreate(void **stream, unsigned) {
  ENTER("cuStreamCreate")
  Stream *s = new Stream{current->device, {}};
  current->streams.insert(s);
  open_stream(s);
  *stream = s;
  return success;
}

API cuStreamDestroy_v2(void *stream) {
  ENTER("cuStreamDestroy_v2")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  drain(s); // a driver lets it finish without waiting
  close_stream(s);
  erase_from(current->streams, stream);
  return lost[current->device];
}

API cuStreamSynchronize(void *stream) {
  ENTER("cuStreamSynchronize")
  Stream *s = stream_of(stream);
  if (!s) return invalid_handle;
  drain(s);
  return lost[s->device];
}

API cuStreamWaitEvent(void *stream, void *event, unsigned) {
  ENTER("cuStreamWaitEvent")
  Stream *s = stream_of(stream);
  auto e = event_of(event);
  if (!s || !e) return invalid_handle;
  enqueue(s, {nullptr, e, e->recorded});
  return success;
}

API cuEventCreate(void **event, unsigned) {
  ENTER("cuEventCreate")
  auto e = std::make_shared<Event>();
  e->device = current->device;
  current->events[e.get()] = e;
  *event = e.get();
  return success;
}

API cuEventDestroy_v2(void *event) {
  ENTER("cuEventDestroy_v2")
  return current->events.erase((Event *)event) ? success : invalid_handle;
}

API cuEventRecord(void *event, void *stream) {
  ENTER("cuEventRecord")
  Stream *s = stream_of(stream);
  auto e = event_of(event);
  if (!s || !e) return invalid_handle;
  long generation = ++e->recorded;
  enqueue(s, {[=] { return e->reached = std::max(e->reached, generation), int(success); }, nullptr});
  return success;
}

API cuEventSynchronize(void *event) {
  ENTER("cuEventSynchronize")
  auto e = event_of(event);
  if (!e) return invalid_handle;
  drain(e.get());
  return lost[e->device];
}

API cuGraphCreate(void **graph, unsigned) {
  ENTER("cuGraphCreate")
  Graph *g = new Graph{current->device, {}};
  current->graphs.insert(g);
  *graph = g;
  return success;
}

API cuGraphDestroy(void *graph) {
  ENTER("cuGraphDestroy")
  return erase_from(current->graphs, graph);
}

API cuGraphAddKernelNode(void **node, void *graph, void *const *after, size_t n, const void *params) {
  ENTER("cuGraphAddKernelNode")
  const KernelNodeParams *k = (const KernelNodeParams *)params;
  auto l = std::make_shared<Launch>();
  Shape grid = {k->grid[0], k->grid[1], k->grid[2]}, block = {k->block[0], k->block[1], k->block[2]};
  if (int code = prepare(k->function, grid, block, k->shared, k->params, l.get())) return code;
  return add_node(node, graph, after, n, [l] { return run_kernel(*l); });
}

API cuGraphAddMemcpyNode(void **node, void *graph, void *const *after, size_t n, const void *params, void *context) {
  ENTER("cuGraphAddMemcpyNode")
  const CopyNodeParams *c = (const CopyNodeParams *)params;
  if (context != current || c->height != 1 || c->depth != 1 || c->src.type != 2 || c->dst.type != 2) return complain(invalid_value, "only copies of bytes on the device are emulated in graphs");
  uint64_t dst = c->dst.device + c->dst.x, src = c->src.device + c->src.x;
  size_t bytes = c->width;
  return add_node(node, graph, after, n, [=] { return copy_node(dst, src, bytes); });
}

API cuGraphAddMemsetNode(void **node, void *graph, void *const *after, size_t n, const void *params, void *context) {
  ENTER("cuGraphAddMemsetNode")
  const FillNodeParams *f = (const FillNodeParams *)params;
  if (context != current || f->height != 1 || f->size != 1) return complain(invalid_value, "only fills of bytes are emulated in graphs");
  uint64_t dst = f->dst;
  int value = int(f->value);
  size_t bytes = f->width;
  return add_node(node, graph, after, n, [=] { return fill_node(dst, value, bytes); });
}

// An executable graph is a copy.
API cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
  ENTER("cuGraphInstantiateWithFlags")
  if (!has(current->graphs, graph)) return invalid_handle;
  Graph *made = new Graph(*(Graph *)graph);
  current->graphs.insert(made);
  *executable = made;
  return success;
}

API cuGraphLaunch(void *executable, void *stream) {
  ENTER("cuGraphLaunch")
  Stream *s = stream_of(stream);
  if (!s || !has(current->graphs, executable)) return invalid_handle;
  auto copy = std::make_shared<Graph>(*(Graph *)executable); // it may be destroyed while it runs
  enqueue(s, {[copy] { return run_graph(*copy); }, nullptr});
  return success;
}

API cuGraphExecDestroy(void *executable) {
  ENTER("cuGraphExecDestroy")
  return erase_from(current->graphs, executable);
}
