// One block after the other; in a block one thread at a time, until it waits for others. Who is next is random and unfair, so that what a kernel reads
// without having waited for it is, sooner or later, not there yet or no longer.
#include "kernel.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>

#include "fiber.h"
#include "gpu.h"
#include "memory.h"
#include "options.h"

namespace emulator {

Thread *self;
std::string fault_text;

namespace {

constexpr size_t shared_bytes = 232448; // the most any GPU has
constexpr size_t gap = 64;              // between shared arrays
constexpr unsigned char canary = 0xC5;

enum class State { Fresh, Ready, Waiting, Done };

struct Copy {
  char *to;
  const char *from;
  uint32_t size, bytes;
  int group;
};

struct Gpu : Thread {
  Fiber *fiber;
  State state;
  uint32_t index;
  std::vector<Copy> copies; // under way
  int groups;               // committed
};

// A Meeting is a place where all members wait for each other.
struct Meeting {
  uint32_t present;
  int line;
  const char *what;
};

struct Warp {
  Meeting meeting;
  int side;
  char exchanged[2][32 * 32]; // the next exchange has begun while the last one is still read
};

struct Array {
  const void *key;
  size_t offset, bytes;
};

// Block is what runs now.
struct Block {
  Order order;
  Copies copies;
  const Launch *launch;
  std::vector<Gpu> threads;
  std::vector<Warp> warps;
  std::vector<uint32_t> ready;
  Meeting meeting;
  uint32_t done, policy;
  std::vector<Array> arrays;
  size_t used; // of shared memory
  int failed;
};
Block now;
void *scheduler;
pthread_t executing;
volatile bool running;

char *shared_memory; // static arrays from its start, dynamic ones up to its end, behind which nobody may touch
std::map<std::string, HostKernel> &kernels() {
  static std::map<std::string, HostKernel> table;
  return table;
}
std::map<std::string, HostFunction> &functions() {
  static std::map<std::string, HostFunction> table;
  return table;
}

Gpu &current() { return *static_cast<Gpu *>(self); }
uint32_t size() { return uint32_t(now.threads.size()); }

void yield() { emulator_switch(&current().fiber->stack, scheduler); }

void main_of_thread() {
  now.launch->entry(now.launch->params.data(), now.launch->failed);
  current().state = State::Done;
  yield();
}

// meet returns when all of the members have come to the same line. Members are numbered from first.
void meet(Meeting &m, uint32_t first, uint32_t members, const char *what, int line) {
  if (m.present == 0) {
    m.what = what;
    m.line = line;
  } else if (m.what != what || m.line != line) {
    fault(launch_failed, "is at %s of line %d while others of its %s wait at %s of line %d", what, line, &m == &now.meeting ? "block" : "warp", m.what, m.line);
  }
  if (++m.present < members) {
    current().state = State::Waiting;
    yield();
    return;
  }
  m.present = 0;
  for (uint32_t i = first; i < first + members; i++) {
    now.threads[i].state = State::Ready;
    now.ready.push_back(i);
  }
  yield();
}

void arrive(Copy &c) {
  memcpy(c.to, c.from, c.bytes);
  memset(c.to + c.bytes, 0, c.size - c.bytes);
}

// pick says who runs: by the policy of this block any, the last that became ready, or the first.
uint32_t pick() {
  size_t n = now.ready.size(), i = 0;
  switch (now.policy) {
  case 0: i = below(uint32_t(n)); break;
  case 1: i = n - 1; break;
  }
  uint32_t index = now.ready[i];
  if (now.policy == 2) {
    now.ready.erase(now.ready.begin());
  } else {
    now.ready[i] = now.ready.back();
    now.ready.pop_back();
  }
  return index;
}

void step(Gpu &g) {
  if (g.state == State::Fresh) g.fiber = take(main_of_thread);
  self = &g;
  emulator_switch(&scheduler, g.fiber->stack);
  if (g.state != State::Done && !now.failed) return;
  give(g.fiber);
  g.fiber = nullptr;
  now.done++;
}

void damaged_arrays() {
  for (size_t i = 0; i <= now.arrays.size(); i++) {
    size_t start = i == 0 ? 0 : now.arrays[i - 1].offset + now.arrays[i - 1].bytes;
    size_t stop = i == now.arrays.size() ? now.used : now.arrays[i].offset;
    for (size_t b = start; b < stop; b++)
      if ((unsigned char)shared_memory[b] != canary) {
        fault_text = now.launch->name + ": wrote beyond a shared array";
        now.failed = illegal_address;
      }
  }
}

void run_block(Shape at) {
  const Launch &l = *now.launch;
  now.done = 0;
  now.meeting = {};
  now.arrays.clear();
  now.used = 0;
  now.policy = now.order == Order::Random ? below(4) % 3 : now.order == Order::Reverse ? 1 : 2; // any is twice as likely
  for (Warp &w : now.warps) w.meeting = {};
  now.ready.clear();
  for (uint32_t i = 0; i < size(); i++) {
    Gpu &g = now.threads[i];
    g.block = {at.x, at.y, at.z};
    g.state = State::Fresh;
    g.copies.clear();
    g.groups = 0;
    now.ready.push_back(i);
  }
  if (l.shared) poison(dynamic_shared(), l.shared);
  while (!now.ready.empty() && !now.failed) step(now.threads[pick()]);
  if (!now.failed && now.done < size()) {
    char text[200];
    const Meeting *m = &now.meeting;
    for (const Warp &w : now.warps)
      if (w.meeting.present) m = &w.meeting;
    snprintf(text, sizeof text, ": %u threads wait at %s of line %d for others that have left", m->present, m->what, m->line);
    fault_text = l.name + text;
    now.failed = launch_failed;
  }
  damaged_arrays();
  for (Gpu &g : now.threads)
    if (g.fiber) {
      give(g.fiber);
      g.fiber = nullptr;
    }
}

void prepare(const Launch &l) {
  now.launch = &l;
  now.failed = 0;
  now.order = options.order[size_t(l.device) % options.order.size()];
  now.copies = options.copies[size_t(l.device) % options.copies.size()];
  now.threads.assign(l.block.count(), Gpu{});
  now.warps.assign((l.block.count() + 31) / 32, Warp{});
  for (uint32_t i = 0; i < size(); i++) {
    Gpu &g = now.threads[i];
    g.index = i;
    g.thread = {i % l.block.x, i / l.block.x % l.block.y, i / l.block.x / l.block.y};
    g.threads = {l.block.x, l.block.y, l.block.z};
    g.blocks = {l.grid.x, l.grid.y, l.grid.z};
  }
}

// A program's threads share nothing, so a block of them is one fiber's work.
void main_of_program() {
  interpret(*now.launch->program, *now.launch, {self->block.x, self->block.y, self->block.z});
  current().state = State::Done;
  yield();
}

void run_program(Shape at) {
  Gpu &g = now.threads[0];
  g.block = {at.x, at.y, at.z};
  g.state = State::Ready;
  g.fiber = take(main_of_program);
  step(g);
}

Shape place(const Shape &grid, uint64_t i) { return {uint32_t(i % grid.x), uint32_t(i / grid.x % grid.y), uint32_t(i / grid.x / grid.y)}; }

// Permutation gives the numbers below n in an order that visits each once: an affine map of a random odd multiplier, over the next power of two.
struct Permutation {
  uint64_t n, mask, multiplier, offset, at = 0;
  explicit Permutation(uint64_t n) : n(n), mask(1) {
    while (mask < n) mask *= 2;
    mask--;
    multiplier = now.order == Order::Random ? below(1u << 31) * 2ull + 1 : now.order == Order::Reverse ? mask : 1;
    offset = now.order == Order::Random ? below(1u << 31) : now.order == Order::Reverse ? mask : 0;
  }
  uint64_t next() {
    for (;;) {
      uint64_t i = (at++ * multiplier + offset) & mask;
      if (i < n) return i;
    }
  }
};

// A fault of the host while a kernel runs is the kernel's. The handler cannot leave the fiber itself: it makes the faulting code go on in landing.
struct sigaction before[NSIG];
int signal_code;
std::string signal_text;

void landing() { fault(signal_code, "%s", signal_text.c_str()); }

void divert(ucontext_t *context) {
#if defined(__x86_64__)
  greg_t *r = context->uc_mcontext.gregs;
  r[REG_RSP] = (r[REG_RSP] - 256) / 16 * 16 - 8;
  r[REG_RIP] = greg_t(landing);
#elif defined(__aarch64__)
  context->uc_mcontext.sp = (context->uc_mcontext.sp - 256) / 16 * 16;
  context->uc_mcontext.pc = (unsigned long long)landing;
#endif
}

void handle(int number, siginfo_t *info, void *context) {
  if (running && pthread_equal(pthread_self(), executing)) {
    bool address = number == SIGSEGV || number == SIGBUS;
    signal_code = address ? illegal_address : misaligned_address;
    signal_text = address ? "touched " + describe(uintptr_t(info->si_addr)) : "used an index or an alignment that its types do not allow";
    divert((ucontext_t *)context);
    return;
  }
  struct sigaction &old = before[number];
  if (old.sa_flags & SA_SIGINFO)
    old.sa_sigaction(number, info, context);
  else if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN)
    sigaction(number, &old, nullptr); // it happens again, without us
  else
    old.sa_handler(number);
}

void install() {
  struct sigaction ours = {};
  ours.sa_sigaction = handle;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  for (int number : {SIGSEGV, SIGBUS, SIGILL, SIGTRAP}) sigaction(number, &ours, &before[number]);
  size_t page = size_t(sysconf(_SC_PAGESIZE)), bytes = (shared_bytes + page - 1) / page * page;
  char *p = (char *)mmap(nullptr, bytes + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED || mprotect(p, bytes, PROT_READ | PROT_WRITE)) abort();
  shared_memory = p + bytes - shared_bytes;
}

} // namespace

void fault(int code, const char *format, ...) {
  char what[400], where[200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  Dim3 b = self->block, t = self->thread;
  if (now.launch->program)
    snprintf(where, sizeof where, ": block (%u, %u, %u) ", b.x, b.y, b.z);
  else
    snprintf(where, sizeof where, ": block (%u, %u, %u) thread (%u, %u, %u) ", b.x, b.y, b.z, t.x, t.y, t.z);
  fault_text = now.launch->name + where + what;
  now.failed = code;
  yield();
  __builtin_unreachable();
}

int run(const Launch &l) {
  if (!shared_memory) install();
  prepare(l);
  executing = pthread_self();
  running = true;
  Permutation order(l.grid.count());
  for (uint64_t i = 0; i < l.grid.count() && !now.failed; i++) {
    Shape at = place(l.grid, order.next());
    l.entry ? run_block(at) : run_program(at);
  }
  running = false;
  Allocation *a = now.failed ? nullptr : damaged();
  if (a) {
    fault_text = l.name + ": wrote beyond an allocation of " + std::to_string(a->bytes) + " bytes";
    now.failed = illegal_address;
  }
  return now.failed;
}

const HostKernel *host_kernel(const std::string &name) {
  auto it = kernels().find(name);
  return it == kernels().end() ? nullptr : &it->second;
}

const HostFunction *host_function(const std::string &name) {
  auto it = functions().find(name);
  return it == functions().end() ? nullptr : &it->second;
}

Kernel::Kernel(const char *name, Entry entry, size_t size) { kernels()[name] = {entry, size}; }
Callable::Callable(const char *name, Function function, int arguments) { functions()[name] = {function, arguments}; }

void sync(int line) { meet(now.meeting, 0, size(), "sync", line); }

static Warp &meet_warp(const char *what, int line) {
  uint32_t first = current().index / 32 * 32;
  if (first + 32 > size()) fault(launch_failed, "is at %s of line %d; a block of %u threads has warps that are not whole", what, line, size());
  Warp &w = now.warps[first / 32];
  meet(w.meeting, first, 32, what, line);
  return w;
}

uint32_t lane() { return current().index % 32; }

const void *exchange(const void *x, uint32_t bytes, int line) {
  Warp &w = now.warps[current().index / 32];
  char *side = w.exchanged[w.side];
  memcpy(side + lane() * bytes, x, bytes);
  if (w.meeting.present == 31) w.side ^= 1;
  meet_warp("an exchange of its warp", line);
  return side;
}

uint32_t shuffle(uint32_t x, uint32_t from, int line) { return ((const uint32_t *)exchange(&x, sizeof x, line))[from % 32]; }

// A thread that comes to an array first makes it, so the order of arrays in memory is random too.
void *shared(const void *key, size_t bytes) {
  for (const Array &a : now.arrays)
    if (a.key == key) return shared_memory + a.offset;
  size_t offset = (now.used + gap + 15) / 16 * 16;
  if (offset + bytes + gap + now.launch->shared > shared_bytes) fault(launch_failed, "has more shared memory than %zu bytes", shared_bytes);
  memset(shared_memory + now.used, canary, offset - now.used);
  poison(shared_memory + offset, bytes);
  now.used = offset + bytes;
  memset(shared_memory + now.used, canary, gap);
  now.arrays.push_back({key, offset, bytes});
  now.used += gap;
  return shared_memory + offset;
}

void *dynamic_shared() { return shared_memory + (shared_bytes - now.launch->shared) / 16 * 16; }

void copy_async(void *to, const void *p, uint32_t bytes, uint32_t read) {
  char *start = shared_memory, *stop = shared_memory + shared_bytes, *t = (char *)to;
  if (t < start || t + bytes > stop) fault(illegal_address, "copies asynchronously to what is not shared memory");
  if (uintptr_t(to) % bytes || uintptr_t(p) % bytes) fault(misaligned_address, "copies %u bytes asynchronously between addresses that are not aligned so", bytes);
  if (read > bytes) fault(illegal_instruction, "copies %u bytes of %u asynchronously", read, bytes);
  Gpu &g = current();
  Copy c{t, (const char *)p, bytes, read, g.groups};
  if (now.copies == Copies::Eager || (now.copies == Copies::Random && below(2))) return arrive(c);
  poison(to, bytes);
  g.copies.push_back(c);
}

void commit() { current().groups++; }

void wait(int pending) {
  Gpu &g = current();
  std::vector<Copy> later;
  for (Copy &c : g.copies)
    if (c.group < g.groups - pending)
      arrive(c);
    else
      later.push_back(c);
  g.copies.swap(later);
}

} // namespace emulator
