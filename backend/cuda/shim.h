// The driver API as the Go side calls it: one entry for each thing it does, none of which needs a CUDA toolkit.
#ifndef WEIR_CUDA_SHIM_H
#define WEIR_CUDA_SHIM_H

#include <stddef.h>
#include <stdint.h>

// Status is what a library answered: CUresult or cublasStatus_t, 0 for success, and the call that failed.
typedef struct {
  int code;
  const char *call;
  int library;  // DRIVER_LIBRARY or CUBLASLT_LIBRARY, whose code it is
} Status;

enum { DRIVER_LIBRARY, CUBLASLT_LIBRARY };

// Node is one entry of a batch. It has the layout of node in batch.go.
typedef struct {
  uint32_t kind;  // LAUNCH, COPY, FILL or PRODUCT
  uint32_t shared;
  uint32_t grid[3], block[3];
  uint64_t function;  // PRODUCT: the plan
  uint64_t guard;     // the address of the stream's fault record if the kernel must look at it
  uint64_t dst;       // LAUNCH, PRODUCT: where its parameters begin
  uint64_t src;       // FILL: the byte
  uint64_t bytes;
} Node;

enum { LAUNCH, COPY, FILL, PRODUCT };

// Properties of a device.
typedef struct {
  char name[128];
  int32_t major, minor;  // its compute capability
} Properties;

// Device holds what every entry needs of one.
typedef struct {
  int number;  // CUdevice
  void *context;
  void *pool;  // NULL where the driver has no memory pools
  void *allocating, *freeing;
} Device;

// weir_enter makes the device's context current in this thread.
Status weir_enter(const Device *d);

const char *weir_library(const char *path, int *version, int minimum, Status *status);
void weir_error(int code, const char **name, const char **text);
Status weir_count(int *n);
Status weir_properties(int ordinal, Properties *p);
Status weir_device_open(int ordinal, Device *d);
Status weir_device_close(Device *d);

Status weir_alloc(Device *d, size_t bytes, uint64_t *address);
Status weir_reclaim(Device *d);
Status weir_free(Device *d, uint64_t address, void **streams, void **events, size_t n);
Status weir_pin(Device *d, size_t bytes, void **p);
Status weir_unpin(Device *d, void *p);

Status weir_stream_open(Device *d, void **stream, void **event);
Status weir_stream_close(Device *d, void *stream, void *event);
Status weir_synchronize(Device *d, void *stream);
Status weir_event_open(Device *d, void **event);
Status weir_event_close(Device *d, void *event);
Status weir_event_record(Device *d, void *event, void *stream);
Status weir_event_wait(Device *d, void *event);
Status weir_upload(Device *d, void *stream, uint64_t dst, const void *src, size_t bytes);
Status weir_download(Device *d, void *stream, void *dst, uint64_t src, size_t bytes);

Status weir_module_load(Device *d, const char *text, void **module, char *log, size_t size);
Status weir_module_unload(Device *d, void *module);
Status weir_function(Device *d, void *module, const char *name, void **function);
Status weir_function_shared(Device *d, void *function, int bytes);

Status weir_run(Device *d, void *stream, const Node *nodes, size_t n, const char *params, size_t *at);
Status weir_graph_make(Device *d, const Node *nodes, size_t n, const char *params, void **graph, size_t *at);
Status weir_graph_run(Device *d, void *stream, void *graph);
Status weir_graph_free(Device *d, void *graph);

#endif
