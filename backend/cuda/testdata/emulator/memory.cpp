#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "options.h"

namespace emulator {

namespace {

const size_t page = size_t(sysconf(_SC_PAGESIZE));
constexpr size_t alignment = 256; // of what the driver gives
constexpr unsigned char canary = 0xC5;
constexpr size_t arena_bytes = size_t(256) << 30;

std::map<uintptr_t, Allocation> allocations; // all there ever were
std::set<Allocation *> living, accessible;
char *next, *end;

// An allocation ends where a page does, but for what aligns its start, so that one past its end is a fault or seen by damaged.
struct Span {
  char *pages;
  size_t bytes; // whole pages
  char *tail;   // after the allocation
};

size_t up(size_t n, size_t to) { return (n + to - 1) / to * to; }

Span span(const Allocation &a) {
  size_t bytes = up(up(a.bytes, alignment), page);
  char *pages = (char *)(a.address + up(a.bytes, alignment) - bytes);
  return {pages, bytes, (char *)a.address + a.bytes};
}

bool intact(const Allocation &a) {
  Span s = span(a);
  static const std::vector<unsigned char> untouched(page, canary);
  size_t before = size_t((char *)a.address - s.pages), after = size_t(s.pages + s.bytes - s.tail);
  return !memcmp(s.pages, untouched.data(), before) && !memcmp(s.tail, untouched.data(), after);
}

} // namespace

Allocation *allocate(size_t bytes, Kind kind, int device) {
  if (!next) {
    void *p = mmap(nullptr, arena_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return nullptr;
    next = (char *)p;
    end = next + arena_bytes;
  }
  size_t whole = up(up(bytes, alignment), page);
  if (bytes > arena_bytes || size_t(end - next) < whole + 2 * page) return nullptr;
  next += page;
  uintptr_t address = uintptr_t(next) + whole - up(bytes, alignment);
  next += whole;
  Allocation *a = &(allocations[address] = {address, bytes, kind, device, true, false, false});
  living.insert(a);
  return a;
}

void make_present(Allocation *a) {
  Span s = span(*a);
  mprotect(s.pages, s.bytes, PROT_READ | PROT_WRITE);
  memset(s.pages, canary, size_t((char *)a->address - s.pages));
  memset(s.tail, canary, size_t(s.pages + s.bytes - s.tail));
  poison((void *)a->address, a->bytes);
  a->present = true;
  accessible.insert(a);
}

void end_life(Allocation *a) {
  a->live = false;
  living.erase(a);
}

void make_absent(Allocation *a) {
  end_life(a);
  Span s = span(*a);
  madvise(s.pages, s.bytes, MADV_DONTNEED);
  mprotect(s.pages, s.bytes, PROT_NONE);
  a->present = false;
  accessible.erase(a);
}

Allocation *find(uintptr_t address) {
  auto it = allocations.find(address);
  return it == allocations.end() ? nullptr : &it->second;
}

Allocation *around(uintptr_t p, size_t bytes) {
  auto it = allocations.upper_bound(p);
  if (it == allocations.begin()) return nullptr;
  Allocation &a = (--it)->second;
  return a.present && p + bytes <= a.address + a.bytes ? &a : nullptr;
}

std::string describe(uintptr_t p) {
  char text[200];
  auto it = allocations.upper_bound(p);
  if (it == allocations.begin() || p >= uintptr_t(end)) {
    snprintf(text, sizeof text, "address %#zx, which was never allocated", size_t(p));
    return text;
  }
  const Allocation &a = std::prev(it)->second;
  const char *was = a.present ? "" : a.live ? " not yet allocated in order of the stream" : " freed";
  snprintf(text, sizeof text, "byte %zd of an allocation of %zu bytes%s", ssize_t(p - a.address), a.bytes, was);
  return text;
}

Allocation *damaged() {
  for (Allocation *a : accessible)
    if (!intact(*a)) return a;
  return nullptr;
}

size_t in_use(int device) {
  size_t n = 0;
  for (const Allocation *a : living)
    if (a->kind == Kind::Device && a->device == device) n += a->bytes;
  return n;
}

int live_count(int device) {
  int n = 0;
  for (const Allocation *a : living) n += a->device == device;
  return n;
}

void forget(int device) {
  std::set<Allocation *> all = living;
  all.insert(accessible.begin(), accessible.end());
  for (Allocation *a : all)
    if (a->device == device) make_absent(a);
}

} // namespace emulator
