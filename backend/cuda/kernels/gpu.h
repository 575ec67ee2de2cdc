// What kernels are written against: the CUDA they need and no header of NVIDIA's. Clang compiles it to PTX; a host compiler makes the same source run on
// the emulated driver, where testdata/emulator/emulate.h stands for the machine.
//
// KERNEL(name, Params, p) { … } defines an entry on a struct by value, read-only as p. Every entry has a second parameter, the address of a word or null:
// it does nothing if the word is not 0, because then an earlier command of the stream has failed. BOUNDED_KERNEL says the most threads of a
// block and the least blocks of a multiprocessor too. FUNCTION(type, name, arguments) { … } defines a .func that generated programs may call.
// Everything below is called by all threads of a block (sync) or of a warp (shfl_xor, mma_*, ldmatrix) or by none. A warp is 32 threads with
// consecutive thread().x, then y, then z; blocks that use warp operations have whole warps.
#pragma once

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef unsigned long size_t;

struct Dim3 {
  uint32_t x, y, z;
};

// Vec is moved by one load or store if it is aligned and at most 16 bytes.
template <class T, int N> struct alignas(sizeof(T) * N) Vec {
  T v[N];
};

#ifdef __CUDA_ARCH__

#define ENTRY(name, Params, p, attributes) \
  static __attribute__((device, always_inline)) inline void body_of_##name(const Params &p); \
  extern "C" __attribute__((global)) attributes void name(const Params p, const uint32_t *failed) { \
    if (!failed || !*failed) body_of_##name(p); \
  } \
  static __attribute__((device, always_inline)) inline void body_of_##name(const Params &p)
#define KERNEL(name, Params, p) ENTRY(name, Params, p, )
#define BOUNDED_KERNEL(name, Params, p, threads, blocks) ENTRY(name, Params, p, __attribute__((launch_bounds(threads, blocks))))
#define FUNCTION(type, name, ...) extern "C" __attribute__((device, noinline)) type name(__VA_ARGS__)
#define DEVICE static __attribute__((device, always_inline)) inline
#define CONSTANT static __attribute__((constant)) const
#define SHARED(type, name, n) __attribute__((shared)) static type name[n]
#define SHARED2(type, name, n, m) __attribute__((shared)) static type name[n][m]
// DYNAMIC_SHARED names the shared memory that the launch asked for, aligned to 16 bytes.
#define DYNAMIC_SHARED(type, name) \
  extern __attribute__((shared, aligned(16))) unsigned char dynamic_shared[]; \
  type *name = (type *)dynamic_shared
#define UNROLL _Pragma("unroll")

DEVICE Dim3 thread() { return {uint32_t(__nvvm_read_ptx_sreg_tid_x()), uint32_t(__nvvm_read_ptx_sreg_tid_y()), uint32_t(__nvvm_read_ptx_sreg_tid_z())}; }
DEVICE Dim3 block() { return {uint32_t(__nvvm_read_ptx_sreg_ctaid_x()), uint32_t(__nvvm_read_ptx_sreg_ctaid_y()), uint32_t(__nvvm_read_ptx_sreg_ctaid_z())}; }
DEVICE Dim3 threads() { return {uint32_t(__nvvm_read_ptx_sreg_ntid_x()), uint32_t(__nvvm_read_ptx_sreg_ntid_y()), uint32_t(__nvvm_read_ptx_sreg_ntid_z())}; }
DEVICE Dim3 blocks() { return {uint32_t(__nvvm_read_ptx_sreg_nctaid_x()), uint32_t(__nvvm_read_ptx_sreg_nctaid_y()), uint32_t(__nvvm_read_ptx_sreg_nctaid_z())}; }

// sync waits for all threads of the block.
DEVICE void sync() { __syncthreads(); }
// fence orders this thread's writes before its later ones, as every thread of the device sees them.
DEVICE void fence() { __nvvm_membar_gl(); }

DEVICE uint32_t shfl_bits_xor(uint32_t x, uint32_t n) { return __nvvm_shfl_sync_bfly_i32(0xffffffff, x, n, 31); }

// opaque returns x so that the compiler keeps it as it is, not what it was computed from.
DEVICE int64_t opaque(int64_t x) {
  asm("" : "+l"(x));
  return x;
}

DEVICE uint32_t clz(uint32_t x) { return x ? __builtin_clz(x) : 32; }
DEVICE uint32_t clz(uint64_t x) { return x ? __builtin_clzl(x) : 64; }
DEVICE uint32_t mul_hi(uint32_t x, uint32_t y) { return uint32_t(uint64_t(x) * y >> 32); }
DEVICE uint64_t mul_hi(uint64_t x, uint64_t y) { return __nvvm_mulhi_ull(x, y); }

// atomic_cas stores x if the word is old, and returns what it was.
DEVICE uint32_t atomic_cas(uint32_t *p, uint32_t old, uint32_t x) { return uint32_t(__nvvm_atom_cas_gen_i((int32_t *)p, int32_t(old), int32_t(x))); }

DEVICE uint32_t shared_address(const void *p) { return uint32_t(uint64_t((__attribute__((address_space(3))) const char *)p)); }

// cp_async copies N = 4, 8 or 16 bytes from global to shared memory, both aligned to N, behind the thread's back: of the source it reads the first
// bytes and fills the rest with zeros. It reads nothing if bytes is 0, but p must be a global address even so. The copies since the last
// commit form a group; wait returns when all but the last Pending groups of this thread have arrived. Other threads see them after a sync.
template <int N> DEVICE void cp_async(void *shared, const void *p, uint32_t bytes = N) {
  if constexpr (N == 16)
    asm volatile("{.reg .u64 g; cvta.to.global.u64 g, %1; cp.async.cg.shared.global [%0], [g], 16, %2;}" ::"r"(shared_address(shared)), "l"(p), "r"(bytes) : "memory");
  else
    asm volatile("{.reg .u64 g; cvta.to.global.u64 g, %1; cp.async.ca.shared.global [%0], [g], %3, %2;}" ::"r"(shared_address(shared)), "l"(p), "r"(bytes), "n"(N) : "memory");
}
DEVICE void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int Pending> DEVICE void cp_async_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory"); }

DEVICE float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
DEVICE double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
DEVICE float sqrt(float x) { return __nvvm_sqrt_rn_f(x); }
DEVICE double sqrt(double x) { return __nvvm_sqrt_rn_d(x); }
DEVICE float trunc(float x) { return __builtin_truncf(x); }
DEVICE double trunc(double x) { return __builtin_trunc(x); }
// rint rounds half to even.
DEVICE float rint(float x) { return __builtin_rintf(x); }
DEVICE double rint(double x) { return __builtin_rint(x); }

// The 16-bit floats are bits in a uint16_t; conversions to them round to nearest even.
DEVICE float f16_to_f32(uint16_t x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
  return y;
}
DEVICE uint16_t f32_to_f16(float x) {
  uint16_t y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}
DEVICE uint16_t f32_to_bf16(float x) {
  uint16_t y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}

// to_tf32 rounds to the 10 mantissa bits that mma_tf32 reads, ties away from zero, and gives the bits.
DEVICE uint32_t to_tf32(float x) {
  uint32_t y;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
  return y;
}

// The products of a warp, d += a·b, row-major a and column-major b, fragments as in the PTX manual:
// tf32 m16n8k8, f16 and bf16 m16n8k16, with float32 sums.
DEVICE void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
DEVICE void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
DEVICE void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// ldmatrix loads four 8×8 matrices of 16-bit elements; lane i gives the shared address of row i%8, 16 bytes, of matrix i/8. Transposed if T.
template <bool T> DEVICE void ldmatrix(uint32_t (&r)[4], const void *row) {
  if constexpr (T)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}

#else
#include "emulate.h"
#endif

template <class To, class From> DEVICE To bit_cast(From x) {
  static_assert(sizeof(To) == sizeof(From), "bit_cast keeps the size");
  return __builtin_bit_cast(To, x);
}
DEVICE uint32_t bits(float x) { return bit_cast<uint32_t>(x); }
DEVICE uint64_t bits(double x) { return bit_cast<uint64_t>(x); }
DEVICE float as_float(uint32_t x) { return bit_cast<float>(x); }
DEVICE double as_double(uint64_t x) { return bit_cast<double>(x); }
DEVICE float bf16_to_f32(uint16_t x) { return as_float(uint32_t(x) << 16); }

// shfl_xor gives the value, of 4 or 8 bytes, of the lane whose number differs in the bits of n.
template <class T> DEVICE T shfl_xor(T x, uint32_t n) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  if constexpr (sizeof(T) == 4)
    return bit_cast<T>(shfl_bits_xor(bit_cast<uint32_t>(x), n));
  else {
    uint64_t b = bit_cast<uint64_t>(x);
    uint32_t lo = shfl_bits_xor(uint32_t(b), n), hi = shfl_bits_xor(uint32_t(b >> 32), n);
    return bit_cast<T>(uint64_t(hi) << 32 | lo);
  }
}
