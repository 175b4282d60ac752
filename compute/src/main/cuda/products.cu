// Matrix products, conversions of dense weights, and biases.
#include "nibble.cuh"

// out[m, n] = alpha sum_k a[m, k] b[k, n] + beta out[m, n], row-major. An operand is stored either with its inner
// dimension k contiguous (a not transposed, b transposed) or with its outer one, m or n.
struct Operand {
  const void* data;
  int64_t stride;  // elements from one stored line to the next
};

struct Output {
  void* data;
  int64_t stride;
  bool f32;  // or bf16
  float alpha, beta;
};

struct Size {
  int m, n, k;
};

// The part of the inner dimension that this block sums up. With more than one part, sums go to `parts`, a matrix for
// each, which sum_parts adds in their order.
struct Part {
  int begin, end;

  __device__ __forceinline__ Part(int k, int k_part) : begin((int)blockIdx.y * k_part), end(min(k, begin + k_part)) {}
};

__device__ __forceinline__ Output output_of_part(const Output& out, float* parts, const Size& size) {
  if (gridDim.y == 1) return out;
  return {parts + (int64_t)blockIdx.y * size.m * size.n, size.n, true, 1, 0};
}

// Which tile of the output this block makes. Tiles go in stripes of 8 rows of tiles, so that the blocks that run at one
// time share their lines of a and b in L2.
struct Place {
  int m, n;
};

template <int BM, int BN>
__device__ __forceinline__ Place place_of_block(const Size& size) {
  constexpr int STRIPE = 8;
  int rows = (size.m + BM - 1) / BM, cols = (size.n + BN - 1) / BN;
  int stripe = (int)blockIdx.x / (STRIPE * cols), within = (int)blockIdx.x % (STRIPE * cols);
  int height = min(STRIPE, rows - stripe * STRIPE);
  return {(stripe * STRIPE + within % height) * BM, within / height * BN};
}

// Stores N consecutive elements of a row of the output, some of which may lie past its end.
template <int N>
__device__ __forceinline__ void store_row(const Output& out, const Size& size, int row, int col, const float (&sums)[N]) {
  if (row >= size.m || col >= size.n) return;
  int64_t at = row * out.stride + col;
  int width = out.f32 ? 4 : 8;  // elements in 16 bytes
  bool whole = col + N <= size.n && (uintptr_t)out.data % 16 == 0 && out.stride % width == 0;
  if (!whole || (!out.f32 && N < 8)) {
    for (int i = 0; i < N && col + i < size.n; i++) {
      if (out.f32) {
        float* to = (float*)out.data + at + i;
        *to = out.alpha * sums[i] + (out.beta == 0 ? 0 : out.beta * *to);
      } else {
        bf16* to = (bf16*)out.data + at + i;
        *to = from_float<bf16>(out.alpha * sums[i] + (out.beta == 0 ? 0 : out.beta * to_float(*to)));
      }
    }
  } else if (out.f32) {
#pragma unroll
    for (int i = 0; i < N; i += 4) {
      auto* to = (Pack<float, 4>*)((float*)out.data + at + i);
      Pack<float, 4> p = out.beta == 0 ? Pack<float, 4>{0, 0, 0, 0} : *to;
#pragma unroll
      for (int j = 0; j < 4; j++) p.v[j] = out.alpha * sums[i + j] + out.beta * p.v[j];
      *to = p;
    }
  } else {
#pragma unroll
    for (int i = 0; i < N; i += 8) {
      bf16* to = (bf16*)out.data + at + i;
      float v[8] = {};
      if (out.beta != 0) load_8(v, to);
#pragma unroll
      for (int j = 0; j < 8; j++) v[j] = out.alpha * sums[i + j] + out.beta * v[j];
      store_8(to, v);
    }
  }
}

// ---- bf16: tensor cores ----

constexpr int BF16_THREADS = 128;
constexpr int BF16_K = 32;

// R outer by 32 inner elements of an operand in shared memory, in the order in which they are stored. The 16-byte
// chunks of a line change places by an exclusive or with its number, so that the 8 lines that ldmatrix takes a matrix
// from, and the chunks that 8 threads write, each lie in different banks.
template <int R, bool K_INNER>
struct Bf16Tile {
  static constexpr int LINE = K_INNER ? BF16_K : R;
  static constexpr int CHUNKS = LINE / 8;
  static constexpr int ELEMENTS = R * BF16_K;
  static constexpr int PASS = BF16_THREADS / CHUNKS;  // lines that all threads copy at once
  static constexpr int PASSES = ELEMENTS / 8 / BF16_THREADS;

  static __device__ __forceinline__ int at(int line, int chunk) {
    int turn = CHUNKS == 4 ? line / 2 % 4 : line % 8;
    return line * LINE + (chunk ^ turn) * 8;
  }
};

// Where a thread takes its chunks of an operand's tiles from: `width` elements each, `pass` lines apart.
template <class T, bool K_INNER>
struct Source {
  const T* from;  // its first element, of inner element 0
  int64_t stride;
  int outer_left;  // elements of the outer dimension from its first on
  int k_left;      // elements of the inner dimension from its first on
  bool vectors;    // whether every chunk is wholly inside or outside, and aligned

  __device__ __forceinline__ Source(const Operand& o, int outer, int outer_end, int k_end, int line, int col, int width)
      : stride(o.stride), outer_left(outer_end - outer - (K_INNER ? line : col)), k_left(k_end - (K_INNER ? col : line)) {
    const T* data = (const T*)o.data;
    from = data + (K_INNER ? (outer + line) * stride + col : line * stride + outer + col);
    vectors = (uintptr_t)data % 16 == 0 && stride % width == 0 && (K_INNER ? k_end : outer_end) % width == 0;
  }

  // Its element of `skip` lines on, of the tile at inner element k.
  __device__ __forceinline__ const T* at(int k, int skip) const { return from + (K_INNER ? k : k * stride) + skip * stride; }

  // How many elements, from there on in its line, the operand has.
  __device__ __forceinline__ int left(int k, int skip) const {
    bool line = skip < (K_INNER ? outer_left : k_left - k);
    return line ? (K_INNER ? k_left - k : outer_left) : 0;
  }
};

// Brings tiles of an operand to shared memory.
template <int R, bool K_INNER>
struct Bf16Loader {
  using Tile = Bf16Tile<R, K_INNER>;
  Source<bf16, K_INNER> source;

  __device__ __forceinline__ Bf16Loader(const Operand& o, int outer, int outer_end, int k_end)
      : source(o, outer, outer_end, k_end, threadIdx.x / Tile::CHUNKS, threadIdx.x % Tile::CHUNKS * 8, 8) {}

  __device__ __forceinline__ void load(bf16* tile, int k) const {
    int line = threadIdx.x / Tile::CHUNKS, chunk = threadIdx.x % Tile::CHUNKS;
    if (source.vectors) {
#pragma unroll
      for (int i = 0; i < Tile::PASSES; i++) {
        int skip = i * Tile::PASS;
        copy_async_16(tile + Tile::at(line + skip, chunk), source.at(k, skip), source.left(k, skip) > 0);
      }
    } else {
#pragma unroll 1
      for (int i = 0; i < Tile::PASSES; i++) {
        int skip = i * Tile::PASS;
        int left = source.left(k, skip);
        Pack<bf16, 8> p;
#pragma unroll
        for (int j = 0; j < 8; j++) p.v[j] = j < left ? source.at(k, skip)[j] : bf16{0};
        *(Pack<bf16, 8>*)(tile + Tile::at(line + skip, chunk)) = p;
      }
    }
  }
};

// Rows row.. and inner elements k.. of a, 16 by 16, as the first operand of mma.
template <int R, bool K_INNER>
__device__ __forceinline__ void load_a(unsigned (&a)[4], const bf16* tile, int row, int k) {
  using Tile = Bf16Tile<R, K_INNER>;
  int l = lane();
  if (K_INNER) {
    ldmatrix_x4(a, tile + Tile::at(row + l % 16, k / 8 + l / 16));
  } else {
    ldmatrix_x4_transposed(a, tile + Tile::at(k + l % 8 + l / 16 * 8, row / 8 + l / 8 % 2));
  }
}

// Columns col.. and inner elements k.. of b, 16 by 16, as two second operands of mma.
template <int R, bool K_INNER>
__device__ __forceinline__ void load_b(unsigned (&b)[4], const bf16* tile, int col, int k) {
  using Tile = Bf16Tile<R, K_INNER>;
  int l = lane();
  if (K_INNER) {
    ldmatrix_x4(b, tile + Tile::at(col + l % 8 + l / 16 * 8, k / 8 + l / 8 % 2));
  } else {
    ldmatrix_x4_transposed(b, tile + Tile::at(k + l % 16, col / 8 + l / 16));
  }
}

// A block of 4 warps makes BM by BN elements, each warp a quarter. STAGES tiles of the inner dimension are in shared
// memory, of which all but one are on their way; registers hold what is multiplied, and what is next.
template <int BM, int BN, int STAGES, bool A_K_INNER, bool B_K_INNER>
__device__ __forceinline__ void multiply_bf16(const Output& out, const Operand& a, const Operand& b, const Size& size,
                                              float* parts, int k_part) {
  NIBBLE_DYNAMIC_SHARED(shared);
  using TileA = Bf16Tile<BM, A_K_INNER>;
  using TileB = Bf16Tile<BN, B_K_INNER>;
  constexpr int STAGE = TileA::ELEMENTS + TileB::ELEMENTS;
  constexpr int WM = BM / 2, WN = BN / 2;
  constexpr int STEPS = BF16_K / 16;
  constexpr int M = WM / 16, N = WN / 16;
  bf16* tiles = (bf16*)shared;
  Place place = place_of_block<BM, BN>(size);
  Part part(size.k, k_part);
  Bf16Loader<BM, A_K_INNER> from_a(a, place.m, size.m, part.end);
  Bf16Loader<BN, B_K_INNER> from_b(b, place.n, size.n, part.end);
  int count = (part.end - part.begin + BF16_K - 1) / BF16_K;
  int warp_m = warp() / 2 * WM, warp_n = warp() % 2 * WN;

  auto load = [&](int i) {
    if (i < count) {
      bf16* stage = tiles + i % STAGES * STAGE;
      from_a.load(stage, part.begin + i * BF16_K);
      from_b.load(stage + TileA::ELEMENTS, part.begin + i * BF16_K);
    }
    copies_commit();  // a group for each i, empty past the end, so that waiting counts alike
  };

  float sums[M][2 * N][4] = {};
  unsigned fragments_a[2][M][4], fragments_b[2][N][4];
  auto take = [&](int i, int step) {
    const bf16* stage = tiles + i % STAGES * STAGE;
#pragma unroll
    for (int m = 0; m < M; m++) load_a<BM, A_K_INNER>(fragments_a[step % 2][m], stage, warp_m + 16 * m, 16 * step);
#pragma unroll
    for (int n = 0; n < N; n++) {
      load_b<BN, B_K_INNER>(fragments_b[step % 2][n], stage + TileA::ELEMENTS, warp_n + 16 * n, 16 * step);
    }
  };

#pragma unroll
  for (int i = 0; i < STAGES - 1; i++) load(i);
  copies_wait<STAGES - 2>();
  __syncthreads();
  take(0, 0);
#pragma unroll 1
  for (int i = 0; i < count; i++) {
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
      if (step + 1 < STEPS) {
        take(i, step + 1);
      } else {
        copies_wait<STAGES - 2>();
        __syncthreads();  // the next stage is there, and nobody reads this one any more
        take(i + 1, 0);   // past the end: what is read is not used
      }
      if (step == 0) load(i + STAGES - 1);
#pragma unroll
      for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; n < N; n++) {
          const unsigned(&fragment)[4] = fragments_b[step % 2][n];
          mma_16x8x16(sums[m][2 * n], fragments_a[step % 2][m], {fragment[0], fragment[1]});
          mma_16x8x16(sums[m][2 * n + 1], fragments_a[step % 2][m], {fragment[2], fragment[3]});
        }
      }
    }
  }
  copies_wait<0>();
  __syncthreads();

  // Each warp passes 16 rows at a time through shared memory, to store 16 bytes of a row at once. A line has 8 words
  // more than its elements, so that the rows of a fragment lie in different banks.
  constexpr int LINE = WN + 8;
  constexpr int LANES = WN / 8;
  float* lines = (float*)shared + warp() * 16 * LINE;
  Output to = output_of_part(out, parts, size);
  int g = lane() / 4, t = lane() % 4;
#pragma unroll
  for (int m = 0; m < M; m++) {
#pragma unroll
    for (int n = 0; n < 2 * N; n++) {
      const float(&d)[4] = sums[m][n];
      *(Pack<float, 2>*)(lines + g * LINE + 8 * n + 2 * t) = {d[0], d[1]};
      *(Pack<float, 2>*)(lines + (g + 8) * LINE + 8 * n + 2 * t) = {d[2], d[3]};
    }
    __syncwarp();
#pragma unroll 1
    for (int row = lane() / LANES; row < 16; row += WARP / LANES) {
      int col = lane() % LANES * 8;
      auto low = *(const Pack<float, 4>*)(lines + row * LINE + col);
      auto high = *(const Pack<float, 4>*)(lines + row * LINE + col + 4);
      store_row<8>(to, size, place.m + warp_m + 16 * m + row, place.n + warp_n + col,
                   {low.v[0], low.v[1], low.v[2], low.v[3], high.v[0], high.v[1], high.v[2], high.v[3]});
    }
    __syncwarp();
  }
}

// ---- f32: multiply-adds in float32, never TF32 ----

constexpr int F32_THREADS = 256;
constexpr int F32_K = 16;

// Brings tiles of R outer by 16 inner elements to registers, and then to shared memory as [inner][outer].
template <int R, bool K_INNER>
struct F32Loader {
  static constexpr int LINE = K_INNER ? F32_K : R;
  static constexpr int CHUNKS = LINE / 4;
  static constexpr int PASS = F32_THREADS / CHUNKS;
  static constexpr int PASSES = R * F32_K / 4 / F32_THREADS;
  static constexpr int SHARED_LINE = R + 4;
  Source<float, K_INNER> source;
  Pack<float, 4> values[PASSES];

  __device__ __forceinline__ F32Loader(const Operand& o, int outer, int outer_end, int k_end)
      : source(o, outer, outer_end, k_end, threadIdx.x / CHUNKS, threadIdx.x % CHUNKS * 4, 4) {}

  __device__ __forceinline__ void load(int k) {
#pragma unroll
    for (int i = 0; i < PASSES; i++) {
      int left = source.left(k, i * PASS);
      const float* from = source.at(k, i * PASS);
      if (source.vectors) {
        values[i] = left > 0 ? *(const Pack<float, 4>*)from : Pack<float, 4>{};
      } else {
#pragma unroll
        for (int j = 0; j < 4; j++) values[i].v[j] = j < left ? from[j] : 0;
      }
    }
  }

  __device__ __forceinline__ void store(float* tile) const {
    int line = threadIdx.x / CHUNKS, col = threadIdx.x % CHUNKS * 4;
#pragma unroll
    for (int i = 0; i < PASSES; i++) {
      if (K_INNER) {
#pragma unroll
        for (int j = 0; j < 4; j++) tile[(col + j) * SHARED_LINE + line + i * PASS] = values[i].v[j];
      } else {
        *(Pack<float, 4>*)(tile + (line + i * PASS) * SHARED_LINE + col) = values[i];
      }
    }
  }
};

// 16 by 16 threads make B by B elements: each B/16 by B/16, in groups of 4 rows and columns that lie 64 apart. Of a
// warp, 4 by 8 threads lie together, so that what they read of a line of shared memory is at most 128 bytes.
template <int B, bool A_K_INNER, bool B_K_INNER>
__device__ __forceinline__ void multiply_f32(const Output& out, const Operand& a, const Operand& b, const Size& size,
                                             float* parts, int k_part) {
  constexpr int GROUPS = B / 64;
  alignas(16) __shared__ float tile_a[2][F32_K * (B + 4)];
  alignas(16) __shared__ float tile_b[2][F32_K * (B + 4)];
  Place place = place_of_block<B, B>(size);
  Part part(size.k, k_part);
  F32Loader<B, A_K_INNER> from_a(a, place.m, size.m, part.end);
  F32Loader<B, B_K_INNER> from_b(b, place.n, size.n, part.end);
  int row = (warp() / 2 * 4 + lane() / 8) * 4, col = (warp() % 2 * 8 + lane() % 8) * 4;
  float sums[GROUPS * 4][GROUPS * 4] = {};
  int count = (part.end - part.begin + F32_K - 1) / F32_K;
  from_a.load(part.begin);
  from_b.load(part.begin);
  from_a.store(tile_a[0]);
  from_b.store(tile_b[0]);
  __syncthreads();
#pragma unroll 1
  for (int i = 0; i < count; i++) {
    if (i + 1 < count) {
      from_a.load(part.begin + (i + 1) * F32_K);
      from_b.load(part.begin + (i + 1) * F32_K);
    }
    const float* lines_a = tile_a[i % 2];
    const float* lines_b = tile_b[i % 2];
#pragma unroll
    for (int k = 0; k < F32_K; k++) {
      Pack<float, 4> x[GROUPS], y[GROUPS];
#pragma unroll
      for (int g = 0; g < GROUPS; g++) {
        x[g] = *(const Pack<float, 4>*)(lines_a + k * (B + 4) + 64 * g + row);
        y[g] = *(const Pack<float, 4>*)(lines_b + k * (B + 4) + 64 * g + col);
      }
#pragma unroll
      for (int m = 0; m < GROUPS * 4; m++) {
#pragma unroll
        for (int n = 0; n < GROUPS * 4; n++) sums[m][n] = __fmaf_rn(x[m / 4].v[m % 4], y[n / 4].v[n % 4], sums[m][n]);
      }
    }
    // The other buffer was read before the last barrier.
    from_a.store(tile_a[(i + 1) % 2]);
    from_b.store(tile_b[(i + 1) % 2]);
    __syncthreads();
  }
  Output to = output_of_part(out, parts, size);
  to.f32 = true;
#pragma unroll
  for (int m = 0; m < GROUPS * 4; m++) {
#pragma unroll
    for (int g = 0; g < GROUPS; g++) {
      store_row<4>(to, size, place.m + m / 4 * 64 + row + m % 4, place.n + 64 * g + col,
                   {sums[m][4 * g], sums[m][4 * g + 1], sums[m][4 * g + 2], sums[m][4 * g + 3]});
    }
  }
}

// ---- kernels: nt multiplies by b^T as x W^T does, nn as dy W, tn as dy^T x; 128 or 64 rows and columns a block ----

#define MULTIPLY(threads, name, ...)                                                                                  \
  NIBBLE_KERNEL(threads, name, void* out, int64_t out_stride, int out_f32, const void* a, int64_t a_stride,           \
                const void* b, int64_t b_stride, int m, int n, int k, float alpha, float beta, float* parts,          \
                int k_part) {                                                                                         \
    __VA_ARGS__({out, out_stride, out_f32 != 0, alpha, beta}, {a, a_stride}, {b, b_stride}, {m, n, k}, parts, k_part); \
  }
MULTIPLY(BF16_THREADS, multiply_nt_128_bf16, multiply_bf16<128, 128, 3, true, true>)
MULTIPLY(BF16_THREADS, multiply_nn_128_bf16, multiply_bf16<128, 128, 3, true, false>)
MULTIPLY(BF16_THREADS, multiply_tn_128_bf16, multiply_bf16<128, 128, 3, false, false>)
MULTIPLY(BF16_THREADS, multiply_nt_64_bf16, multiply_bf16<64, 64, 4, true, true>)
MULTIPLY(BF16_THREADS, multiply_nn_64_bf16, multiply_bf16<64, 64, 4, true, false>)
MULTIPLY(BF16_THREADS, multiply_tn_64_bf16, multiply_bf16<64, 64, 4, false, false>)
MULTIPLY(F32_THREADS, multiply_nt_128_f32, multiply_f32<128, true, true>)
MULTIPLY(F32_THREADS, multiply_nn_128_f32, multiply_f32<128, true, false>)
MULTIPLY(F32_THREADS, multiply_tn_128_f32, multiply_f32<128, false, false>)
MULTIPLY(F32_THREADS, multiply_nt_64_f32, multiply_f32<64, true, true>)
MULTIPLY(F32_THREADS, multiply_nn_64_f32, multiply_f32<64, true, false>)
MULTIPLY(F32_THREADS, multiply_tn_64_f32, multiply_f32<64, false, false>)

// out = alpha (parts[0] + parts[1] + ...) + beta out. All parts together have fewer than 2^31 elements.
template <class T>
__device__ void sum_parts(T* out, int64_t stride, const float* parts, int count, int m, int n, float alpha, float beta) {
  for (int i = (int)global_thread(); i < m * n; i += (int)global_threads()) {
    float sum = 0;
#pragma unroll 4
    for (int p = 0; p < count; p++) sum += parts[p * m * n + i];
    T* to = out + (unsigned)i / (unsigned)n * stride + (unsigned)i % (unsigned)n;
    *to = from_float<T>(alpha * sum + (beta == 0 ? 0 : beta * to_float(*to)));
  }
}

#define SUM_PARTS(name, T)                                                                                   \
  NIBBLE_KERNEL(256, name, T* out, int64_t stride, const float* parts, int count, int m, int n, float alpha, \
                float beta) {                                                                                \
    sum_parts(out, stride, parts, count, m, n, alpha, beta);                                                 \
  }
SUM_PARTS(sum_parts_f32, float)
SUM_PARTS(sum_parts_bf16, bf16)

// ---- conversions ----

// out[r, j] = in[first + r * cols + j], j < width: 8 elements a thread where they are aligned.
template <class T, class S>
__device__ void convert(T* out, const S* in, int64_t first, int64_t rows, int64_t width, int64_t cols) {
  in += first;
  bool fit = (uintptr_t)in % 16 == 0 && (uintptr_t)out % 16 == 0 && (rows == 1 || (cols % 8 == 0 && width % 8 == 0));
  int64_t packs = fit ? rows * (width / 8) : 0;
  for (int64_t i = global_thread(); i < packs; i += global_threads()) {
    int64_t skipped = rows == 1 ? 0 : i / (width / 8) * (cols - width);
    float v[8];
    load_8(v, in + 8 * i + skipped);
    store_8(out + 8 * i, v);
  }
  // What fills no pack, one by one.
  for (int64_t i = 8 * packs + global_thread(); i < rows * width; i += global_threads()) {
    out[i] = from_float<T>(to_float(in[i + i / width * (cols - width)]));
  }
}

#define CONVERT(name, T, S)                                                                                 \
  NIBBLE_KERNEL(256, name, T* out, const S* in, int64_t first, int64_t rows, int64_t width, int64_t cols) { \
    convert(out, in, first, rows, width, cols);                                                             \
  }
CONVERT(convert_f32_bf16, bf16, float)
CONVERT(convert_f16_bf16, bf16, f16)
CONVERT(convert_bf16_f32, float, bf16)
CONVERT(convert_f16_f32, float, f16)

// ---- biases ----

// out[n, c] += bias[c]: a thread takes 8 columns, and rows by steps of the grid's height.
template <class T, class B>
__device__ void bias_forward(T* out, const B* bias, int64_t rows, int64_t cols) {
  int64_t col = global_thread() * 8;
  if (col >= cols) return;
  float b[8];
#pragma unroll
  for (int i = 0; i < 8; i++) b[i] = col + i < cols ? to_float(bias[col + i]) : 0;
  bool fit = cols % 8 == 0 && (uintptr_t)out % 16 == 0;
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    T* x = out + row * cols + col;
    if (fit) {
      float v[8];
      load_8(v, x);
#pragma unroll
      for (int i = 0; i < 8; i++) v[i] += b[i];
      store_8(x, v);
    } else {
#pragma unroll
      for (int i = 0; i < 8; i++) {
        if (col + i < cols) x[i] = from_float<T>(to_float(x[i]) + b[i]);
      }
    }
  }
}

#define BIAS_FORWARD(name, T, B)                                                      \
  NIBBLE_KERNEL(128, name, T* out, const B* bias, int64_t rows, int64_t cols) { \
    bias_forward(out, bias, rows, cols);                                              \
  }
BIAS_FORWARD(bias_forward_f32_f32, float, float)
BIAS_FORWARD(bias_forward_bf16_f32, float, bf16)
BIAS_FORWARD(bias_forward_f16_f32, float, f16)
BIAS_FORWARD(bias_forward_f32_bf16, bf16, float)
BIAS_FORWARD(bias_forward_bf16_bf16, bf16, bf16)
BIAS_FORWARD(bias_forward_f16_bf16, bf16, f16)

// dbias[c] += sum_n dout[n, c].
template <class T>
__device__ void bias_backward(float* dbias, const T* dout, int64_t rows, int64_t cols) {
  add_column_sums(dbias, rows, cols, [&](int64_t row, int64_t col) { return to_float(dout[row * cols + col]); });
}

NIBBLE_KERNEL(256, bias_backward_f32, float* dbias, const float* dout, int64_t rows, int64_t cols) {
  bias_backward(dbias, dout, rows, cols);
}
NIBBLE_KERNEL(256, bias_backward_bf16, float* dbias, const bf16* dout, int64_t rows, int64_t cols) {
  bias_backward(dbias, dout, rows, cols);
}
