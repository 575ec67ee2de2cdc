// The driver's calls about memory: pools, allocations and copies.
#include "api.h"

#include <cstring>

namespace emulator {

namespace {

// reach checks that memory may be touched when its turn has come.
int reach(uint64_t p, size_t bytes, const char *what) {
  if (around(p, bytes)) return success;
  fault_text = std::string(what) + " of " + std::to_string(bytes) + " bytes at " + describe(p);
  return illegal_address;
}

struct PoolProperties {
  int type, handles, location, ordinal;
};

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

} // namespace

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

} // namespace emulator

using namespace emulator;

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
