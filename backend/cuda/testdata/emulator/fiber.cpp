#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace emulator {

namespace {

constexpr size_t stack_bytes = 256 << 10, guard_bytes = 64 << 10; // of address space; a kernel touches a page or two
std::vector<Fiber *> idle;

} // namespace

// The registers that a function must leave as they were are what a switch saves: main's address is where the first one returns to.
#if defined(__x86_64__)
asm(R"(
.globl emulator_switch
.hidden emulator_switch
.type emulator_switch, @function
emulator_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
)");

static void prepare(Fiber *f, void (*main)()) {
  uintptr_t *top = (uintptr_t *)(f->memory + stack_bytes) - 1;
  *top = 0; // where main would return to; the stack is aligned as after a call
  *--top = (uintptr_t)main;
  f->stack = top - 6;
}
#elif defined(__aarch64__)
asm(R"(
.globl emulator_switch
.hidden emulator_switch
.type emulator_switch, %function
emulator_switch:
	sub sp, sp, #160
	stp x19, x20, [sp, #0]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x19, x20, [sp, #0]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	ret
)");

static void prepare(Fiber *f, void (*main)()) {
  uintptr_t *saved = (uintptr_t *)(f->memory + stack_bytes - 160);
  saved[10] = 0;
  saved[11] = (uintptr_t)main;
  f->stack = saved;
}
#else
#error "the emulator knows no fibers on this architecture"
#endif

Fiber *take(void (*main)()) {
  Fiber *f;
  if (idle.empty()) {
    char *p = (char *)mmap(nullptr, guard_bytes + stack_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED || mprotect(p + guard_bytes, stack_bytes, PROT_READ | PROT_WRITE)) abort();
    f = new Fiber{nullptr, p + guard_bytes};
  } else {
    f = idle.back();
    idle.pop_back();
  }
  prepare(f, main);
  return f;
}

void give(Fiber *f) { idle.push_back(f); }

} // namespace emulator
