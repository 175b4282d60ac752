// What every kernel file shares: element types, reductions, and the few instructions that C++ has no word for.
//
// The same sources compile twice: by nvcc to PTX for the card, and by g++ for tests without one, where
// emulator.h stands in for the hardware. So a kernel uses nothing of CUDA beyond what is used or defined here.
#pragma once

#include <math.h>
#include <stdint.h>

#ifdef __CUDACC__
// A kernel that Java launches by this name, with blocks of at most `threads` threads.
#define NIBBLE_KERNEL(threads, name, ...) extern "C" __global__ void __launch_bounds__(threads) name(__VA_ARGS__)
// Shared memory of the size that the launch asks for.
#define NIBBLE_DYNAMIC_SHARED(name) extern __shared__ __align__(128) unsigned char name[]
#else
#include "emulator.h"
#endif

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

// ---- element types ----

// The upper half of a float32.
struct bf16 {
  uint16_t bits;
};

// IEEE binary16.
struct f16 {
  uint16_t bits;
};

// N elements that are loaded and stored at once; the address must be a multiple of its size.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T v[N];
};

__device__ __forceinline__ float to_float(float x) { return x; }

__device__ __forceinline__ float to_float(bf16 x) { return __uint_as_float((unsigned)x.bits << 16); }

__device__ __forceinline__ float to_float(f16 x) {
#ifdef __CUDACC__
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
#else
  return emulator::from_half(x.bits);
#endif
}

// Rounds to the nearest, to even in a tie.
template <class T>
__device__ __forceinline__ T from_float(float x);

template <>
__device__ __forceinline__ float from_float<float>(float x) {
  return x;
}

template <>
__device__ __forceinline__ bf16 from_float<bf16>(float x) {
  bf16 y;
#ifdef __CUDACC__
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
  y.bits = emulator::to_bfloat(x);
#endif
  return y;
}

template <>
__device__ __forceinline__ f16 from_float<f16>(float x) {
  f16 y;
#ifdef __CUDACC__
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
  y.bits = emulator::to_half(x);
#endif
  return y;
}

// Two float32 as two bf16 in one register, the first in the low half.
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
#ifdef __CUDACC__
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  return (unsigned)from_float<bf16>(low).bits | (unsigned)from_float<bf16>(high).bits << 16;
#endif
}

// Eight consecutive elements, at addresses that are multiples of 16.
template <class T>
__device__ __forceinline__ void load_8(float (&v)[8], const T* from) {
  auto p = *(const Pack<T, 8>*)from;
#pragma unroll
  for (int i = 0; i < 8; i++) v[i] = to_float(p.v[i]);
}

template <>
__device__ __forceinline__ void load_8(float (&v)[8], const float* from) {
  auto low = *(const Pack<float, 4>*)from, high = *(const Pack<float, 4>*)(from + 4);
#pragma unroll
  for (int i = 0; i < 4; i++) v[i] = low.v[i], v[i + 4] = high.v[i];
}

template <class T>
__device__ __forceinline__ void store_8(T* to, const float (&v)[8]) {
  Pack<T, 8> p;
#pragma unroll
  for (int i = 0; i < 8; i++) p.v[i] = from_float<T>(v[i]);
  *(Pack<T, 8>*)to = p;
}

template <>
__device__ __forceinline__ void store_8(bf16* to, const float (&v)[8]) {
  *(uint4*)to = {pack_bf16(v[0], v[1]), pack_bf16(v[2], v[3]), pack_bf16(v[4], v[5]), pack_bf16(v[6], v[7])};
}

template <>
__device__ __forceinline__ void store_8(float* to, const float (&v)[8]) {
  *(Pack<float, 4>*)to = {v[0], v[1], v[2], v[3]};
  *(Pack<float, 4>*)(to + 4) = {v[4], v[5], v[6], v[7]};
}

// ---- threads ----

// Number of this thread among all of a one-dimensional grid, and how many there are.
__device__ __forceinline__ int64_t global_thread() { return (int64_t)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ __forceinline__ int64_t global_threads() { return (int64_t)gridDim.x * blockDim.x; }

__device__ __forceinline__ int lane() { return threadIdx.x & (WARP - 1); }
__device__ __forceinline__ int warp() { return threadIdx.x / WARP; }

// ---- many elements at once ----

// Whether packs of 16 bytes can be loaded there.
__device__ __forceinline__ bool aligned_16(const void* p) { return (uintptr_t)p % 16 == 0; }

// V elements as float32, in loads of up to 16 bytes; for V > 1 the address must be a multiple of them.
template <int V, class T>
__device__ __forceinline__ void load(float (&v)[V], const T* from) {
  constexpr int K = V * sizeof(T) <= 16 ? V : 16 / sizeof(T);
#pragma unroll
  for (int i = 0; i < V; i += K) {
    Pack<T, K> p = *(const Pack<T, K>*)(from + i);
#pragma unroll
    for (int k = 0; k < K; k++) v[i + k] = to_float(p.v[k]);
  }
}

template <int V, class T>
__device__ __forceinline__ void store(T* to, const float (&v)[V]) {
  constexpr int K = V * sizeof(T) <= 16 ? V : 16 / sizeof(T);
#pragma unroll
  for (int i = 0; i < V; i += K) {
    Pack<T, K> p;
#pragma unroll
    for (int k = 0; k < K; k++) p.v[k] = from_float<T>(v[i + k]);
    *(Pack<T, K>*)(to + i) = p;
  }
}

// How many elements a step of a loop takes.
template <int N>
struct Width {
  static constexpr int value = N;
};

// Calls step(Width<8>, i) for the eights of n items that this of `threads` threads takes, and step(Width<1>, i) for
// what is left; where they do not fit loads of eight, for all.
template <class F>
__device__ __forceinline__ void in_eights(int64_t n, bool fit, int64_t thread, int64_t threads, F step) {
  int64_t whole = fit ? n / 8 : 0;
  for (int64_t i = thread; i < whole; i += threads) step(Width<8>{}, 8 * i);
  for (int64_t i = 8 * whole + thread; i < n; i += threads) step(Width<1>{}, i);
}

// The same over all threads of the grid.
template <class F>
__device__ __forceinline__ void in_eights(int64_t n, bool fit, F step) {
  in_eights(n, fit, global_thread(), global_threads(), step);
}

// ---- reductions: every thread gets the result; the order is fixed, so the same input gives the same bits ----

template <class T>
__device__ __forceinline__ T warp_sum(T x) {
  for (int d = WARP / 2; d > 0; d /= 2) x += __shfl_xor_sync(ALL_LANES, x, d);
  return x;
}

__device__ __forceinline__ float warp_max(float x) {
  for (int d = WARP / 2; d > 0; d /= 2) x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, d));
  return x;
}

// Over a block of whole warps. All threads must call it.
template <class T>
__device__ __forceinline__ T block_sum(T x) {
  __shared__ T parts[WARP];
  x = warp_sum(x);
  __syncthreads();  // parts may still be read by an earlier call
  if (lane() == 0) parts[warp()] = x;
  __syncthreads();
  return warp_sum(lane() < (int)blockDim.x / WARP ? parts[lane()] : T(0));
}

// sums[c] += the sum over rows of term(row, c), by blocks of 256 threads: a block takes 32 columns, each of its warps
// every 8th row; their sums are added in order of the warps.
template <class F>
__device__ __forceinline__ void add_column_sums(float* sums, int64_t rows, int64_t cols, F term) {
  constexpr int WARPS = 8;
  __shared__ float parts[WARPS][WARP];
  int64_t col = (int64_t)blockIdx.x * WARP + lane();
  float sum = 0;
  if (col < cols) {
#pragma unroll 8
    for (int64_t row = warp(); row < rows; row += WARPS) sum += term(row, col);
  }
  parts[warp()][lane()] = sum;
  __syncthreads();
  if (warp() == 0 && col < cols) {
    float total = 0;
    for (int w = 0; w < WARPS; w++) total += parts[w][lane()];
    sums[col] += total;
  }
}

__device__ __forceinline__ float block_max(float x) {
  __shared__ float parts[WARP];
  x = warp_max(x);
  __syncthreads();
  if (lane() == 0) parts[warp()] = x;
  __syncthreads();
  return warp_max(lane() < (int)blockDim.x / WARP ? parts[lane()] : -INFINITY);
}

// ---- random numbers ----

// 24 random bits of an index, as dev.nibble.compute.kernels.Dropout draws them.
__device__ __forceinline__ int64_t random_24(int64_t seed, int64_t index) {
  uint64_t z = (uint64_t)seed + (uint64_t)index * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return (int64_t)((z ^ (z >> 31)) >> 40);
}

// ---- indices ----

// Calls f(i) for each i in [from, to) with indices[i] == index, in ascending order; all lanes of a warp together.
template <class F>
__device__ __forceinline__ void for_each_equal(const int* indices, int64_t from, int64_t to, int index, F f) {
  for (int64_t i = from; i < to; i += WARP) {
    unsigned equal = __ballot_sync(ALL_LANES, i + lane() < to && indices[i + lane()] == index);
    for (; equal != 0; equal &= equal - 1) f(i + __ffs((int)equal) - 1);
  }
}

// Whether indices[i] == index for an i in [0, end); all lanes of a warp together.
__device__ __forceinline__ bool appears_before(const int* indices, int64_t end, int index) {
  for (int64_t i = 0; i < end; i += WARP) {
    if (__ballot_sync(ALL_LANES, i + lane() < end && indices[i + lane()] == index) != 0) return true;
  }
  return false;
}

// ---- tensor cores (sm_80 and later) ----

// d[16, 8] += a[16, 16] b[16, 8], bf16 in, float32 sums, over one warp. With g = lane / 4 and t = lane % 4:
//   a: registers of two bf16 each, (row g, columns 2t, 2t+1), (row g+8, same), (row g, columns 2t+8, 2t+9), (row g+8, same)
//   b: (rows 2t, 2t+1 of column g), (rows 2t+8, 2t+9 of column g)
//   d: (row g, columns 2t, 2t+1), (row g+8, same)
__device__ __forceinline__ void mma_16x8x16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef __CUDACC__
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emulator::mma_16x8x16(d, a, b);
#endif
}

// Four 8 by 8 matrices of 16-bit elements from shared memory: lane i names the start of row i % 8 of matrix i / 8 (a
// multiple of 16 bytes). Register m of a lane gets elements 2t, 2t+1 of row g of matrix m.
__device__ __forceinline__ void ldmatrix_x4(unsigned (&r)[4], const void* row) {
#ifdef __CUDACC__
  unsigned address = (unsigned)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
#else
  emulator::ldmatrix_x4(r, row);
#endif
}

// The same, each matrix transposed: register m gets elements (2t, g) and (2t+1, g) of matrix m.
__device__ __forceinline__ void ldmatrix_x4_transposed(unsigned (&r)[4], const void* row) {
#ifdef __CUDACC__
  unsigned address = (unsigned)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
#else
  emulator::ldmatrix_x4_transposed(r, row);
#endif
}

// ---- asynchronous copies ----

// Starts copying 16 bytes from global to shared memory, both addresses multiples of 16; zeros when not `valid`, and
// then nothing is read. They are there after copies_wait and a barrier.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, bool valid) {
#ifdef __CUDACC__
  unsigned address = (unsigned)__cvta_generic_to_shared(shared);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global), "r"(valid ? 16 : 0)
               : "memory");
#else
  emulator::copy_async_16(shared, global, valid);
#endif
}

// Closes a group of copies.
__device__ __forceinline__ void copies_commit() {
#ifdef __CUDACC__
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  emulator::copies_commit();
#endif
}

// Waits until at most the N newest groups of this thread are still under way.
template <int N>
__device__ __forceinline__ void copies_wait() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#else
  emulator::copies_wait(N);
#endif
}
