// The hardware as kernels see it, for g++: blocks run in turn, the threads of a block as fibres that switch at
// barriers and warp instructions. Included by nibble.cuh.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#define __device__
#define __global__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __fdividef(a, b) ((float)(a) / (float)(b))
// Blocks run in turn on one thread of the host.
#define __shared__ static
#define __launch_bounds__(...)

#define NIBBLE_KERNEL(threads, name, ...)                                        \
  static void name(__VA_ARGS__);                                                 \
  static const emulator::Registration registration_of_##name(#name, threads, name); \
  static void name(__VA_ARGS__)
#define NIBBLE_DYNAMIC_SHARED(name) unsigned char* const name = emulator::dynamic_shared

struct dim3 {
  unsigned x, y, z;
};

struct float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

namespace emulator {

// ---- the thread that runs ----

extern dim3 thread_index, block_index, block_size, grid_size;
extern unsigned char* dynamic_shared;

// Ends the kernel with an error.
[[noreturn]] void fail(const char* why);
// Waits for all threads of the block that have not returned.
void block_barrier();
// Waits for all threads of the warp; one that has returned, or waits elsewhere, is an error.
void warp_barrier(unsigned mask);
// Room of this thread's warp for 64 bytes a lane. Consecutive calls alternate between two rooms, so that one barrier
// between writing and reading is enough.
unsigned char* warp_room();
inline int lane_index() { return (int)(thread_index.x & 31u); }

// ---- kernels by name ----

struct Kernel {
  const char* name;
  int max_threads;
  std::vector<size_t> sizes;                        // bytes of each argument
  void (*call)(void (*function)(), unsigned char**);  // takes addresses of the arguments
  void (*function)();
  int dynamic_shared_limit = 48 * 1024;
};

void add_kernel(Kernel kernel);

template <class... A>
struct Caller {
  template <size_t... I>
  static void unpack(void (*function)(A...), unsigned char** arguments, std::index_sequence<I...>) {
    function(*reinterpret_cast<A*>(arguments[I])...);
  }
  static void call(void (*function)(), unsigned char** arguments) {
    unpack(reinterpret_cast<void (*)(A...)>(function), arguments, std::index_sequence_for<A...>());
  }
};

struct Registration {
  template <class... A>
  Registration(const char* name, int max_threads, void (*function)(A...)) {
    static_assert((std::is_trivially_copyable_v<A> && ...), "kernel arguments are plain values");
    add_kernel({name, max_threads, {sizeof(A)...}, Caller<A...>::call, reinterpret_cast<void (*)()>(function)});
  }
};

// ---- numbers ----

inline unsigned bits_of(float x) {
  unsigned b;
  memcpy(&b, &x, 4);
  return b;
}

inline float float_of(unsigned b) {
  float x;
  memcpy(&x, &b, 4);
  return x;
}

inline uint16_t to_bfloat(float x) {
  unsigned b = bits_of(x);
  if (x != x) return 0x7fff;
  return (uint16_t)((b + 0x7fff + ((b >> 16) & 1)) >> 16);
}

float from_half(uint16_t bits);
uint16_t to_half(float x);

// ---- warp instructions ----

template <class T>
T exchange(unsigned mask, T mine, int from) {
  static_assert(sizeof(T) <= 64, "a lane's room");
  unsigned char* room = warp_room();
  memcpy(room + 64 * lane_index(), &mine, sizeof(T));
  warp_barrier(mask);
  T theirs;
  memcpy(&theirs, room + 64 * (from & 31), sizeof(T));
  return theirs;
}

void mma_16x8x16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]);
void ldmatrix_x4(unsigned (&r)[4], const void* row);
void ldmatrix_x4_transposed(unsigned (&r)[4], const void* row);

// Copies happen at the wait that covers them, not before: a kernel that forgets to wait reads old data.
void copy_async_16(void* shared, const void* global, bool valid);
void copies_commit();
void copies_wait(int newest);

}  // namespace emulator

#define threadIdx emulator::thread_index
#define blockIdx emulator::block_index
#define blockDim emulator::block_size
#define gridDim emulator::grid_size

inline void __syncthreads() { emulator::block_barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { emulator::warp_barrier(mask); }

template <class T>
T __shfl_sync(unsigned mask, T x, int from) {
  return emulator::exchange(mask, x, from);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T x, int bits) {
  return emulator::exchange(mask, x, emulator::lane_index() ^ bits);
}
template <class T>
T __shfl_down_sync(unsigned mask, T x, unsigned by) {
  int from = emulator::lane_index() + (int)by;
  return emulator::exchange(mask, x, from < 32 ? from : emulator::lane_index());
}
template <class T>
T __shfl_up_sync(unsigned mask, T x, unsigned by) {
  int from = emulator::lane_index() - (int)by;
  return emulator::exchange(mask, x, from >= 0 ? from : emulator::lane_index());
}
inline unsigned __ballot_sync(unsigned mask, bool x) {
  unsigned votes = 0;
  unsigned char* room = emulator::warp_room();
  room[64 * emulator::lane_index()] = x;
  emulator::warp_barrier(mask);
  for (int i = 0; i < 32; i++) votes |= (mask >> i & 1 && room[64 * i]) ? 1u << i : 0;
  return votes;
}

// Rounded at once, never contracted to a multiply-add (compiled with -ffp-contract=off).
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline float rsqrtf(float a) { return 1 / sqrtf(a); }
inline float __expf(float a) { return expf(a); }
inline float __uint_as_float(unsigned b) { return emulator::float_of(b); }
inline unsigned __float_as_uint(float x) { return emulator::bits_of(x); }
inline int __float_as_int(float x) { return (int)emulator::bits_of(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned)x); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
template <class T>
T __ldg(const T* p) {
  return *p;
}
