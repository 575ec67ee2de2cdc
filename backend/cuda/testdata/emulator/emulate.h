// The machine that kernels/gpu.h speaks of, on the host: one GPU thread runs at a time, until it waits for others.
#pragma once

#include <utility>

namespace emulator {

// Thread is what a running GPU thread can ask about itself.
struct Thread {
  Dim3 thread, block, threads, blocks;
};
extern Thread *self;

// The functions below return when all threads of the block or warp have called them. Line tells calls apart: that all threads come to the same
// one is part of what is checked.
void sync(int line);
// shuffle's result is lane from's x.
uint32_t shuffle(uint32_t x, uint32_t from, int line);
uint32_t lane();
// exchange gives every lane the size bytes of each lane of the warp, one after the other; they stay until its next call.
const void *exchange(const void *x, uint32_t size, int line);

// shared returns the block's memory of that key, alike for its threads.
void *shared(const void *key, size_t size);
void *dynamic_shared();

void copy_async(void *shared, const void *p, uint32_t size, uint32_t bytes);
void commit();
void wait(int pending);

// Registered by name, so that modules find them.
typedef void (*Entry)(const void *params, const uint32_t *failed);
typedef void (*Function)(const uint64_t *arguments, uint64_t *result);
struct Kernel {
  Kernel(const char *name, Entry entry, size_t size);
};
struct Callable {
  Callable(const char *name, Function function, int arguments);
};

template <class T> T argument(uint64_t bits) {
  T x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}
// invoke calls f with the arguments' low bits.
template <class R, class... A, size_t... I> void invoke(R (*f)(A...), const uint64_t *arguments, uint64_t *result, std::index_sequence<I...>) {
  R r = f(argument<A>(arguments[I])...);
  *result = 0;
  __builtin_memcpy(result, &r, sizeof r);
}
template <class R, class... A> void invoke(R (*f)(A...), const uint64_t *arguments, uint64_t *result) {
  invoke(f, arguments, result, std::index_sequence_for<A...>());
}
template <class R, class... A> constexpr int arity(R (*)(A...)) { return sizeof...(A); }

} // namespace emulator

#define DEVICE static inline
#define CONSTANT static const
#define UNROLL
#define KERNEL(name, Params, p) \
  static void name(const Params &p); \
  static emulator::Kernel kernel_##name(#name, [](const void *params, const uint32_t *failed) { if (!failed || !*failed) name(*(const Params *)params); }, sizeof(Params)); \
  static void name(const Params &p)
#define BOUNDED_KERNEL(name, Params, p, threads, blocks) KERNEL(name, Params, p)
#define FUNCTION(type, name, ...) \
  extern "C" type name(__VA_ARGS__); \
  static emulator::Callable callable_##name(#name, [](const uint64_t *a, uint64_t *r) { emulator::invoke(name, a, r); }, emulator::arity(name)); \
  extern "C" type name(__VA_ARGS__)
// Each mention is a memory of its own, also in each instance of a template.
#define SHARED(type, name, n) \
  static const char key_of_##name = 0; \
  type(&name)[n] = *(type(*)[n])emulator::shared(&key_of_##name, sizeof(type[n]))
#define SHARED2(type, name, n, m) \
  static const char key_of_##name = 0; \
  type(&name)[n][m] = *(type(*)[n][m])emulator::shared(&key_of_##name, sizeof(type[n][m]))
#define DYNAMIC_SHARED(type, name) type *name = (type *)emulator::dynamic_shared()

DEVICE Dim3 thread() { return emulator::self->thread; }
DEVICE Dim3 block() { return emulator::self->block; }
DEVICE Dim3 threads() { return emulator::self->threads; }
DEVICE Dim3 blocks() { return emulator::self->blocks; }

DEVICE void sync(int line = __builtin_LINE()) { emulator::sync(line); }
DEVICE void fence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
DEVICE uint32_t shfl_bits_xor(uint32_t x, uint32_t n) { return emulator::shuffle(x, emulator::lane() ^ n, __LINE__); }

DEVICE int64_t opaque(int64_t x) { return x; }

DEVICE uint32_t clz(uint32_t x) { return x ? __builtin_clz(x) : 32; }
DEVICE uint32_t clz(uint64_t x) { return x ? __builtin_clzl(x) : 64; }
DEVICE uint32_t mul_hi(uint32_t x, uint32_t y) { return uint32_t(uint64_t(x) * y >> 32); }
DEVICE uint64_t mul_hi(uint64_t x, uint64_t y) { return uint64_t((unsigned __int128)x * y >> 64); }

// One GPU thread runs at a time, so plain code is atomic.
DEVICE uint32_t atomic_cas(uint32_t *p, uint32_t old, uint32_t x) {
  uint32_t was = *p;
  if (was == old) *p = x;
  return was;
}

template <int N> void cp_async(void *shared, const void *p, uint32_t bytes = N) { emulator::copy_async(shared, p, N, bytes); }
DEVICE void cp_async_commit() { emulator::commit(); }
template <int Pending> void cp_async_wait() { emulator::wait(Pending); }

DEVICE float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
DEVICE double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
DEVICE float sqrt(float x) { return __builtin_sqrtf(x); }
DEVICE double sqrt(double x) { return __builtin_sqrt(x); }
DEVICE float trunc(float x) { return __builtin_truncf(x); }
DEVICE double trunc(double x) { return __builtin_trunc(x); }
DEVICE float rint(float x) { return __builtin_rintf(x); }
DEVICE double rint(double x) { return __builtin_rint(x); }

// The conversions and the matrix products are in warp.cpp.
float f16_to_f32(uint16_t x);
uint16_t f32_to_f16(float x);
uint16_t f32_to_bf16(float x);
uint32_t to_tf32(float x);
void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void load_matrices(uint32_t (&r)[4], const void *row, bool transposed);
template <bool T> void ldmatrix(uint32_t (&r)[4], const void *row) { load_matrices(r, row, T); }
