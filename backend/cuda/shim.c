//go:build cgo && linux && (amd64 || arm64)

#define _GNU_SOURCE
#include "cublaslt.h"
#include "shim.h"

#include <dlfcn.h>
#include <stdlib.h>

// The driver's calls, declared by hand: the library is found when the program runs, so no toolkit is needed to build it. A name is the exact
// symbol, which the toolkit's headers hide behind a macro; a version is fixed with its symbol for good. Handles are void *, an address of
// device memory is a uint64_t, a CUdevice and every enumeration an int.
#define DRIVER(X)                                                                                                      \
  X(cuInit, (unsigned flags))                                                                                          \
  X(cuDriverGetVersion, (int *version))                                                                                \
  X(cuGetErrorName, (int code, const char **name))                                                                     \
  X(cuGetErrorString, (int code, const char **text))                                                                   \
  X(cuDeviceGetCount, (int *n))                                                                                        \
  X(cuDeviceGet, (int *device, int ordinal))                                                                           \
  X(cuDeviceGetName, (char *name, int size, int device))                                                               \
  X(cuDeviceGetAttribute, (int *value, int attribute, int device))                                                     \
  X(cuDevicePrimaryCtxRetain, (void **context, int device))                                                            \
  X(cuDevicePrimaryCtxRelease_v2, (int device))                                                                        \
  X(cuCtxGetCurrent, (void **context))                                                                                 \
  X(cuCtxSetCurrent, (void *context))                                                                                  \
  X(cuMemPoolCreate, (void **pool, const void *properties))                                                            \
  X(cuMemPoolDestroy, (void *pool))                                                                                    \
  X(cuMemPoolSetAttribute, (void *pool, int attribute, void *value))                                                   \
  X(cuMemPoolTrimTo, (void *pool, size_t keep))                                                                        \
  X(cuMemAllocFromPoolAsync, (uint64_t * address, size_t bytes, void *pool, void *stream))                             \
  X(cuMemFreeAsync, (uint64_t address, void *stream))                                                                  \
  X(cuMemAlloc_v2, (uint64_t * address, size_t bytes))                                                                 \
  X(cuMemFree_v2, (uint64_t address))                                                                                  \
  X(cuMemHostAlloc, (void **p, size_t bytes, unsigned flags))                                                          \
  X(cuMemFreeHost, (void *p))                                                                                          \
  X(cuMemcpyHtoDAsync_v2, (uint64_t dst, const void *src, size_t bytes, void *stream))                                 \
  X(cuMemcpyDtoHAsync_v2, (void *dst, uint64_t src, size_t bytes, void *stream))                                       \
  X(cuMemcpyDtoDAsync_v2, (uint64_t dst, uint64_t src, size_t bytes, void *stream))                                    \
  X(cuMemsetD8Async, (uint64_t dst, unsigned char value, size_t bytes, void *stream))                                  \
  X(cuModuleLoadDataEx, (void **module, const void *image, unsigned n, int *options, void **values))                   \
  X(cuModuleUnload, (void *module))                                                                                    \
  X(cuModuleGetFunction, (void **function, void *module, const char *name))                                            \
  X(cuFuncSetAttribute, (void *function, int attribute, int value))                                                    \
  X(cuLaunchKernel, (void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,     \
                     unsigned shared, void *stream, void **params, void **extra))                                      \
  X(cuStreamCreate, (void **stream, unsigned flags))                                                                   \
  X(cuStreamDestroy_v2, (void *stream))                                                                                \
  X(cuStreamSynchronize, (void *stream))                                                                               \
  X(cuStreamWaitEvent, (void *stream, void *event, unsigned flags))                                                    \
  X(cuStreamBeginCapture_v2, (void *stream, int mode))                                                                 \
  X(cuStreamEndCapture, (void *stream, void **graph))                                                                  \
  X(cuEventCreate, (void **event, unsigned flags))                                                                     \
  X(cuEventDestroy_v2, (void *event))                                                                                  \
  X(cuEventRecord, (void *event, void *stream))                                                                        \
  X(cuEventSynchronize, (void *event))                                                                                 \
  X(cuGraphCreate, (void **graph, unsigned flags))                                                                     \
  X(cuGraphDestroy, (void *graph))                                                                                     \
  X(cuGraphAddKernelNode, (void **node, void *graph, void *const *after, size_t n, const void *params))                \
  X(cuGraphAddMemcpyNode, (void **node, void *graph, void *const *after, size_t n, const void *params, void *context)) \
  X(cuGraphAddMemsetNode, (void **node, void *graph, void *const *after, size_t n, const void *params, void *context)) \
  X(cuGraphAddChildGraphNode, (void **node, void *graph, void *const *after, size_t n, void *child))                   \
  X(cuGraphInstantiateWithFlags, (void **executable, void *graph, unsigned long long flags))                           \
  X(cuGraphLaunch, (void *executable, void *stream))                                                                   \
  X(cuGraphExecDestroy, (void *executable))

#define DECLARE(name, args) static int(*name) args;
DRIVER(DECLARE)

// CUresult, CUdevice_attribute and what else is enumerated.
enum {
  FUNCTION_MAX_DYNAMIC_SHARED = 8,
  DEVICE_MAJOR = 75,
  DEVICE_MINOR = 76,
  DEVICE_MEMORY_POOLS = 115,
  POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES = 3,
  POOL_RELEASE_THRESHOLD = 4,
  POOL_PINNED = 1,
  LOCATION_DEVICE = 1,
  JIT_ERROR_LOG_BUFFER = 5,
  JIT_ERROR_LOG_SIZE = 6,
  HOST_PORTABLE = 1,
  STREAM_NON_BLOCKING = 1,
  CAPTURE_RELAXED = 2,
  EVENT_NO_TIMING = 2,
  MEMORY_DEVICE = 2,
};

#define TRY(call, args)                    \
  do {                                     \
    int code_ = call args;                 \
    if (code_) return (Status){code_, #call, DRIVER_LIBRARY}; \
  } while (0)

static const Status fine;

// A context is current in one thread, a goroutine moves between threads, and others in the process may use CUDA on the same ones: so every entry
// asks. A context that was released may come back at the same address, and is not to be trusted then; generation tells.
static unsigned generation;
static __thread unsigned entered;

Status weir_enter(const Device *d) {
  unsigned now = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
  void *current;
  TRY(cuCtxGetCurrent, (&current));
  if (current == d->context && entered == now) return fine;
  TRY(cuCtxSetCurrent, (d->context));
  entered = now;
  return fine;
}

#define ENTER(d)                      \
  do {                                \
    Status status_ = weir_enter(d);        \
    if (status_.code) return status_; \
  } while (0)

// weir_library opens the driver. It returns why there is none, or NULL; a refusal by the driver itself is in status. A driver older than
// the minimum is not asked for more than its version.
const char *weir_library(const char *path, int *version, int minimum, Status *status) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  *status = fine;
  cuInit = (int (*)(unsigned))dlsym(library, "cuInit");
  cuDriverGetVersion = (int (*)(int *))dlsym(library, "cuDriverGetVersion");
  if (!cuInit || !cuDriverGetVersion) return "the library has no cuInit or no cuDriverGetVersion";
  int code = cuDriverGetVersion(version);
  if (code) {
    *status = (Status){code, "cuDriverGetVersion", DRIVER_LIBRARY};
    return NULL;
  }
  if (*version < minimum) return NULL;
#define LOAD(name, args) \
  if (!(*(void **)(&name) = dlsym(library, #name))) return "the library has no " #name;
  DRIVER(LOAD)
  code = cuInit(0);
  if (code) *status = (Status){code, "cuInit", DRIVER_LIBRARY};
  return NULL;
}

void weir_error(int code, const char **name, const char **text) {
  *name = *text = NULL;
  if (!cuGetErrorName || !cuGetErrorString) return;
  if (cuGetErrorName(code, name)) *name = NULL;
  if (cuGetErrorString(code, text)) *text = NULL;
}

Status weir_count(int *n) {
  TRY(cuDeviceGetCount, (n));
  return fine;
}

Status weir_properties(int ordinal, Properties *p) {
  int device;
  TRY(cuDeviceGet, (&device, ordinal));
  TRY(cuDeviceGetName, (p->name, sizeof p->name, device));
  TRY(cuDeviceGetAttribute, (&p->major, DEVICE_MAJOR, device));
  TRY(cuDeviceGetAttribute, (&p->minor, DEVICE_MINOR, device));
  return fine;
}

// CUmemPoolProps.
typedef struct {
  int type, handles;
  struct {
    int type, id;
  } location;
  void *security;
  unsigned char reserved[64];
} PoolProperties;

static Status open_pool(Device *d) {
  PoolProperties p = {.type = POOL_PINNED, .location = {LOCATION_DEVICE, d->number}};
  TRY(cuMemPoolCreate, (&d->pool, &p));
  uint64_t keep = UINT64_MAX;  // what is freed stays with the pool
  TRY(cuMemPoolSetAttribute, (d->pool, POOL_RELEASE_THRESHOLD, &keep));
  int wait = 0;  // an allocation takes other memory rather than wait for what uses this
  TRY(cuMemPoolSetAttribute, (d->pool, POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES, &wait));
  return fine;
}

static Status fill_device(Device *d) {
  int pools;
  ENTER(d);
  TRY(cuDeviceGetAttribute, (&pools, DEVICE_MEMORY_POOLS, d->number));
  if (pools) {
    Status s = open_pool(d);
    if (s.code) return s;
  }
  TRY(cuStreamCreate, (&d->allocating, STREAM_NON_BLOCKING));
  TRY(cuStreamCreate, (&d->freeing, STREAM_NON_BLOCKING));
  return fine;
}

Status weir_device_open(int ordinal, Device *d) {
  *d = (Device){0};
  TRY(cuDeviceGet, (&d->number, ordinal));
  TRY(cuDevicePrimaryCtxRetain, (&d->context, d->number));
  Status s = fill_device(d);
  if (s.code) weir_device_close(d);
  return s;
}

// first keeps the earlier of two failures.
static Status first(Status s, int code, const char *call) {
  return s.code || !code ? s : (Status){code, call, DRIVER_LIBRARY};
}

// weir_device_close gives everything back, whatever fails on the way, and returns the first failure.
Status weir_device_close(Device *d) {
  Status s = weir_enter(d);
  if (d->freeing) s = first(s, cuStreamSynchronize(d->freeing), "cuStreamSynchronize");
  if (d->freeing) s = first(s, cuStreamDestroy_v2(d->freeing), "cuStreamDestroy");
  if (d->allocating) s = first(s, cuStreamDestroy_v2(d->allocating), "cuStreamDestroy");
  if (d->pool) s = first(s, cuMemPoolDestroy(d->pool), "cuMemPoolDestroy");
  s = first(s, cuDevicePrimaryCtxRelease_v2(d->number), "cuDevicePrimaryCtxRelease");
  __atomic_add_fetch(&generation, 1, __ATOMIC_RELEASE);
  *d = (Device){0};
  return s;
}

// weir_alloc returns memory that every stream may use at once: nothing but allocations is ever queued on the stream that it waits for.
Status weir_alloc(Device *d, size_t bytes, uint64_t *address) {
  ENTER(d);
  if (!d->pool) {
    TRY(cuMemAlloc_v2, (address, bytes));
    return fine;
  }
  TRY(cuMemAllocFromPoolAsync, (address, bytes, d->pool, d->allocating));
  int code = cuStreamSynchronize(d->allocating);
  if (!code) return fine;
  cuMemFreeAsync(*address, d->freeing);
  return (Status){code, "cuStreamSynchronize", DRIVER_LIBRARY};
}

// weir_reclaim waits for what is being freed and empties the pool.
Status weir_reclaim(Device *d) {
  ENTER(d);
  TRY(cuStreamSynchronize, (d->freeing));
  if (d->pool) TRY(cuMemPoolTrimTo, (d->pool, 0));
  return fine;
}

// weir_free frees memory when all that is queued on n streams has run. An event of each stream marks the place.
Status weir_free(Device *d, uint64_t address, void **streams, void **events, size_t n) {
  ENTER(d);
  for (size_t i = 0; i < n; i++) {
    TRY(cuEventRecord, (events[i], streams[i]));
    if (d->pool)
      TRY(cuStreamWaitEvent, (d->freeing, events[i], 0));
    else
      TRY(cuEventSynchronize, (events[i]));
  }
  if (d->pool)
    TRY(cuMemFreeAsync, (address, d->freeing));
  else
    TRY(cuMemFree_v2, (address));
  return fine;
}

Status weir_pin(Device *d, size_t bytes, void **p) {
  ENTER(d);
  TRY(cuMemHostAlloc, (p, bytes, HOST_PORTABLE));
  return fine;
}

Status weir_unpin(Device *d, void *p) {
  ENTER(d);
  TRY(cuMemFreeHost, (p));
  return fine;
}

Status weir_stream_open(Device *d, void **stream, void **event) {
  ENTER(d);
  TRY(cuStreamCreate, (stream, STREAM_NON_BLOCKING));
  int code = cuEventCreate(event, EVENT_NO_TIMING);
  if (!code) return fine;
  cuStreamDestroy_v2(*stream);
  return (Status){code, "cuEventCreate", DRIVER_LIBRARY};
}

Status weir_stream_close(Device *d, void *stream, void *event) {
  ENTER(d);
  Status s = first(fine, cuEventDestroy_v2(event), "cuEventDestroy");
  return first(s, cuStreamDestroy_v2(stream), "cuStreamDestroy");
}

Status weir_synchronize(Device *d, void *stream) {
  ENTER(d);
  TRY(cuStreamSynchronize, (stream));
  return fine;
}

Status weir_event_open(Device *d, void **event) {
  ENTER(d);
  TRY(cuEventCreate, (event, EVENT_NO_TIMING));
  return fine;
}

Status weir_event_close(Device *d, void *event) {
  ENTER(d);
  TRY(cuEventDestroy_v2, (event));
  return fine;
}

Status weir_event_record(Device *d, void *event, void *stream) {
  ENTER(d);
  TRY(cuEventRecord, (event, stream));
  return fine;
}

Status weir_event_wait(Device *d, void *event) {
  ENTER(d);
  TRY(cuEventSynchronize, (event));
  return fine;
}

Status weir_upload(Device *d, void *stream, uint64_t dst, const void *src, size_t bytes) {
  ENTER(d);
  TRY(cuMemcpyHtoDAsync_v2, (dst, src, bytes, stream));
  return fine;
}

Status weir_download(Device *d, void *stream, void *dst, uint64_t src, size_t bytes) {
  ENTER(d);
  TRY(cuMemcpyDtoHAsync_v2, (dst, src, bytes, stream));
  return fine;
}

// weir_module_load compiles PTX. Where that fails, log has the compiler's words.
Status weir_module_load(Device *d, const char *text, void **module, char *log, size_t size) {
  ENTER(d);
  int options[] = {JIT_ERROR_LOG_BUFFER, JIT_ERROR_LOG_SIZE};
  void *values[] = {log, (void *)(uintptr_t)size};
  TRY(cuModuleLoadDataEx, (module, text, 2, options, values));
  return fine;
}

Status weir_module_unload(Device *d, void *module) {
  ENTER(d);
  TRY(cuModuleUnload, (module));
  return fine;
}

Status weir_function(Device *d, void *module, const char *name, void **function) {
  ENTER(d);
  TRY(cuModuleGetFunction, (function, module, name));
  return fine;
}

Status weir_function_shared(Device *d, void *function, int bytes) {
  ENTER(d);
  TRY(cuFuncSetAttribute, (function, FUNCTION_MAX_DYNAMIC_SHARED, bytes));
  return fine;
}

// weir_run queues nodes in order. Where one fails, at says which.
Status weir_run(Device *d, void *stream, const Node *nodes, size_t n, const char *params, size_t *at) {
  ENTER(d);
  for (size_t i = 0; i < n; i++) {
    const Node *node = &nodes[i];
    *at = i;
    switch (node->kind) {
    case COPY:
      TRY(cuMemcpyDtoDAsync_v2, (node->dst, node->src, node->bytes, stream));
      break;
    case FILL:
      TRY(cuMemsetD8Async, (node->dst, (unsigned char)node->src, node->bytes, stream));
      break;
    case PRODUCT: {
      Status s = weir_lt_multiply((const Plan *)node->function, params + node->dst, stream);
      if (s.code) return s;
      break;
    }
    default: {
      void *args[] = {(void *)(params + node->dst), (void *)&node->guard};
      TRY(cuLaunchKernel, ((void *)node->function, node->grid[0], node->grid[1], node->grid[2], node->block[0], node->block[1],
                           node->block[2], node->shared, stream, args, NULL));
    }
    }
  }
  return fine;
}

// CUDA_KERNEL_NODE_PARAMS, the first version.
typedef struct {
  void *function;
  unsigned grid[3], block[3], shared;
  void **params, **extra;
} KernelNode;

// CUDA_MEMCPY3D.
typedef struct {
  struct {
    size_t x, y, z, lod;
    int type;
    const void *host;
    uint64_t device;
    void *array, *reserved;
    size_t pitch, height;
  } src, dst;
  size_t width, height, depth;
} CopyNode;

// CUDA_MEMSET_NODE_PARAMS.
typedef struct {
  uint64_t dst;
  size_t pitch;
  unsigned value, size;
  size_t width, height;
} FillNode;

// add_product adds what cublasLt launches, of which nothing is known but what a capture records. The stream is one that nobody else has: on the
// stream of commands the events that others record there would be captured, too.
static Status add_product(void *graph, const Node *node, const char *params, void **capturing, void *const *last, void **added) {
  if (!*capturing) TRY(cuStreamCreate, (capturing, STREAM_NON_BLOCKING));
  TRY(cuStreamBeginCapture_v2, (*capturing, CAPTURE_RELAXED));
  void *child = NULL;
  Status s = weir_lt_multiply((const Plan *)node->function, params + node->dst, *capturing);
  s = first(s, cuStreamEndCapture(*capturing, &child), "cuStreamEndCapture");
  if (!s.code) s = first(s, cuGraphAddChildGraphNode(added, graph, last, *last != NULL, child), "cuGraphAddChildGraphNode");
  return child ? first(s, cuGraphDestroy(child), "cuGraphDestroy") : s;
}

static Status add_node(Device *d, void *graph, const Node *node, const char *params, void **capturing, void **last) {
  void *added;
  size_t after = *last != NULL;
  switch (node->kind) {
  case COPY: {
    CopyNode c = {.width = node->bytes, .height = 1, .depth = 1};
    c.src.type = c.dst.type = MEMORY_DEVICE;
    c.src.device = node->src;
    c.dst.device = node->dst;
    c.src.pitch = c.dst.pitch = node->bytes;
    c.src.height = c.dst.height = 1;
    TRY(cuGraphAddMemcpyNode, (&added, graph, last, after, &c, d->context));
    break;
  }
  case FILL: {
    FillNode f = {.dst = node->dst, .value = (unsigned)node->src, .size = 1, .width = node->bytes, .height = 1};
    TRY(cuGraphAddMemsetNode, (&added, graph, last, after, &f, d->context));
    break;
  }
  case PRODUCT: {
    Status s = add_product(graph, node, params, capturing, last, &added);
    if (s.code) return s;
    break;
  }
  default: {
    void *args[] = {(void *)(params + node->dst), (void *)&node->guard};
    KernelNode k = {(void *)node->function, {node->grid[0], node->grid[1], node->grid[2]},
                    {node->block[0], node->block[1], node->block[2]}, node->shared, args, NULL};
    TRY(cuGraphAddKernelNode, (&added, graph, last, after, &k));
  }
  }
  *last = added;
  return fine;
}

static Status fill_graph(Device *d, void *graph, const Node *nodes, size_t n, const char *params, size_t *at) {
  void *last = NULL, *capturing = NULL;
  Status s = fine;
  for (size_t i = 0; i < n && !s.code; i++) {
    *at = i;
    s = add_node(d, graph, &nodes[i], params, &capturing, &last);
  }
  return capturing ? first(s, cuStreamDestroy_v2(capturing), "cuStreamDestroy") : s;
}

// weir_graph_make returns a graph that runs the nodes in order. It has copied the parameters.
Status weir_graph_make(Device *d, const Node *nodes, size_t n, const char *params, void **executable, size_t *at) {
  ENTER(d);
  void *graph;
  TRY(cuGraphCreate, (&graph, 0));
  Status s = fill_graph(d, graph, nodes, n, params, at);
  if (!s.code) s = first(s, cuGraphInstantiateWithFlags(executable, graph, 0), "cuGraphInstantiate");
  int code = cuGraphDestroy(graph);
  if (code && !s.code) {
    cuGraphExecDestroy(*executable);
    return (Status){code, "cuGraphDestroy", DRIVER_LIBRARY};
  }
  return s;
}

Status weir_graph_run(Device *d, void *stream, void *executable) {
  ENTER(d);
  TRY(cuGraphLaunch, (executable, stream));
  return fine;
}

Status weir_graph_free(Device *d, void *executable) {
  ENTER(d);
  TRY(cuGraphExecDestroy, (executable));
  return fine;
}
