// 4-bit weights: quantising, dequantising, and the product with few tokens.
#include "nibble.cuh"

// ---- scales ----

// Consecutive elements in blocks of one size, which in the field is a power of two.
struct Blocks {
  int size;
  int shift;  // log2 of the size, or -1

  __device__ __forceinline__ explicit Blocks(int size) : size(size), shift((size & (size - 1)) == 0 ? 31 - __clz(size) : -1) {}

  __device__ __forceinline__ int64_t of(int64_t i) const { return shift >= 0 ? i >> shift : i / size; }
};

// The scales of a matrix's blocks: as they are, or as codes of their own.
struct Scales {
  const float* absmax;
  const uint8_t* codes;  // null where scales are not quantised in turn
  const float* codebook;
  float offset;
  Blocks blocks;  // of scales

  __device__ __forceinline__ Scales(const float* absmax, const uint8_t* codes, const float* codebook,
                                    const float* offset, int block)
      : absmax(absmax), codes(codes), codebook(codebook), offset(codes == nullptr ? 0 : *offset), blocks(block) {}

  // The scales of N blocks in two steps, so that no load waits for another block's: what memory holds for each block, a
  // code or the scale itself, and then the scales.
  template <int N>
  __device__ __forceinline__ void fetch(unsigned (&held)[N], const int64_t (&block)[N]) const {
    if (codes == nullptr) {
#pragma unroll
      for (int i = 0; i < N; i++) held[i] = __float_as_uint(absmax[block[i]]);
    } else {
#pragma unroll
      for (int i = 0; i < N; i++) held[i] = codes[block[i]];
    }
  }

  // Nested ones are multiplied and added separately: the format says so.
  template <int N>
  __device__ __forceinline__ void decode(float (&scale)[N], const unsigned (&held)[N], const int64_t (&block)[N]) const {
    if (codes == nullptr) {
#pragma unroll
      for (int i = 0; i < N; i++) scale[i] = __uint_as_float(held[i]);
    } else {
      float entry[N], largest[N];
#pragma unroll
      for (int i = 0; i < N; i++) entry[i] = codebook[held[i]], largest[i] = absmax[blocks.of(block[i])];
#pragma unroll
      for (int i = 0; i < N; i++) scale[i] = __fadd_rn(__fmul_rn(entry[i], largest[i]), offset);
    }
  }
};

// ---- looking codes up ----

// The codebook, once for each lane: whatever codes the lanes of a warp look up, each finds them in its own bank.
struct Table {
  float values[16 * WARP];
};

__device__ __forceinline__ void fill_table(Table& table, const float* codebook) {
  for (int i = threadIdx.x; i < 16 * WARP; i += blockDim.x) table.values[i] = codebook[i / WARP];
}

// Element i of the 8 in a word. The first of a byte is its high half. Shifting a code to where it counts rows of the
// table makes one shift and one logical operation of the address.
__device__ __forceinline__ float look_up(const Table& table, unsigned word, int i) {
  constexpr int ROW = 7;  // log2 of the bytes of a row
  int low = i / 2 * 8 + (i % 2 == 0 ? 4 : 0);
  unsigned row = (low >= ROW ? word >> (low - ROW) : word << (ROW - low)) & (15u << ROW);
  return *(const float*)((const char*)table.values + (row | (unsigned)lane() * 4));
}

// ---- dequantising ----

constexpr int DEQUANTIZE_THREADS = 256;
// Words that a thread has under way at once.
constexpr int WORDS = 4;

// out[r, j] = weight first + r * cols + j. A thread takes words of 8 codes, so that a warp reads 128 consecutive bytes
// and writes 512 (16-bit out): 0.5 and 2 bytes a weight, and a scale for 8 threads.
template <class T>
__device__ void dequantize(T* out, const uint8_t* codes, const float* codebook, const Scales& scales, int64_t first,
                           int64_t rows, int64_t width, int64_t cols, int block) {
  __shared__ Table table;
  fill_table(table, codebook);
  __syncthreads();
  // Whether every whole word lies in one block of scales, at an address that can be loaded and stored at once.
  bool words_fit = first % 8 == 0 && block % 8 == 0 && (rows == 1 || (cols % 8 == 0 && width % 8 == 0)) &&
                   (uintptr_t)codes % 4 == 0 && (uintptr_t)out % 16 == 0;
  int64_t row_words = width / 8;
  int64_t words = words_fit ? rows * row_words : 0;
  Blocks blocks(block);
  constexpr int CHUNK = DEQUANTIZE_THREADS * WORDS;
  for (int64_t chunk = (int64_t)blockIdx.x * CHUNK; chunk < words; chunk += (int64_t)gridDim.x * CHUNK) {
    unsigned word[WORDS], held[WORDS];
    int64_t place[WORDS];
#pragma unroll
    for (int w = 0; w < WORDS; w++) {
      // Past the end the last word is read again, so that no load waits for a branch.
      int64_t i = min(chunk + w * DEQUANTIZE_THREADS + threadIdx.x, words - 1);
      // A part of the columns is a tile: its words are fewer than 2^32.
      int64_t skipped = rows == 1 ? 0 : (unsigned)i / (unsigned)row_words * (cols - width);
      int64_t from = first + 8 * i + skipped;
      word[w] = *(const unsigned*)(codes + from / 2);
      place[w] = blocks.of(from);
    }
    scales.fetch(held, place);
    float scale[WORDS];
    scales.decode(scale, held, place);
#pragma unroll
    for (int w = 0; w < WORDS; w++) {
      int64_t i = chunk + w * DEQUANTIZE_THREADS + threadIdx.x;
      if (i < words) {
        float v[8];
#pragma unroll
        for (int k = 0; k < 8; k++) v[k] = __fmul_rn(look_up(table, word[w], k), scale[w]);
        store_8(out + 8 * i, v);
      }
    }
  }
  // What is no whole word, one by one.
  for (int64_t i = 8 * words + global_thread(); i < rows * width; i += global_threads()) {
    int64_t from = first + i + i / width * (cols - width);
    int code = from % 2 == 0 ? codes[from / 2] >> 4 : codes[from / 2] & 15;
    unsigned held[1];
    float scale[1];
    scales.fetch(held, {blocks.of(from)});
    scales.decode(scale, held, {blocks.of(from)});
    out[i] = from_float<T>(__fmul_rn(table.values[code * WARP + lane()], scale[0]));
  }
}

#define DEQUANTIZE(name, T)                                                                                          \
  NIBBLE_KERNEL(DEQUANTIZE_THREADS, name, T* out, const uint8_t* codes, const float* codebook, const float* absmax,  \
                const uint8_t* scale_codes, const float* scale_codebook, const float* offset, int scale_block,       \
                int64_t first, int64_t rows, int64_t width, int64_t cols, int block) {                               \
    Scales scales(absmax, scale_codes, scale_codebook, offset, scale_block);                                         \
    dequantize(out, codes, codebook, scales, first, rows, width, cols, block);                                       \
  }
DEQUANTIZE(dequantize_f32, float)
DEQUANTIZE(dequantize_bf16, bf16)
DEQUANTIZE(dequantize_f16, f16)

// ---- the product with few tokens ----

constexpr int FEW_WARPS = 8;
constexpr int FEW_ROWS = 16;
constexpr int FEW_TOKENS = 8;
// Weights of a row that a warp takes in one step: 32, or 16 bytes, for each of four lanes.
constexpr int FEW_COLS = 128;

// What a lane holds of the codes of two rows.
struct FewCodes {
  uint4 codes[2];
  unsigned scales[2];  // as memory holds them
};

__device__ __forceinline__ unsigned word_of(const uint4& v, int i) {
  return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

// out[n, o] = sum_i x[n, i] w[o, i] for at most 8 tokens: weights go from codes to tensor cores through registers, never
// to memory, so 0.5 bytes a weight are read, once. A block takes 16 rows of the weight, and its warps steps along them by
// turns; their sums are added in order of the warps. The inner index is permuted so that a lane's 8 codes of a word,
// and the 16 bytes of x that they meet, each lie together. cols and block must be multiples of 32.
NIBBLE_KERNEL(FEW_WARPS * WARP, few_tokens_bf16, bf16* out, const bf16* x, int tokens, const uint8_t* codes,
              const float* codebook, const float* absmax, const uint8_t* scale_codes, const float* scale_codebook,
              const float* offset, int scale_block, int rows, int cols, int block) {
  __shared__ Table table;
  __shared__ float sums[FEW_WARPS][FEW_TOKENS][FEW_ROWS];
  Scales scales(absmax, scale_codes, scale_codebook, offset, scale_block);
  int g = lane() / 4, t = lane() % 4;
  int first_row = (int)blockIdx.x * FEW_ROWS;
  // Rows past the end repeat the last one, and are not written.
  int64_t row[2] = {min(first_row + g, rows - 1), min(first_row + g + 8, rows - 1)};
  Blocks blocks(block);

  // Past the end the row's last codes are read again; the inputs they meet are 0.
  auto place = [&](int col, int h) { return row[h] * cols + min(col, cols - 32); };
  auto load = [&](int col) {
    FewCodes c;
#pragma unroll
    for (int h = 0; h < 2; h++) c.codes[h] = *(const uint4*)(codes + place(col, h) / 2);
    scales.fetch(c.scales, {blocks.of(place(col, 0)), blocks.of(place(col, 1))});
    return c;
  };

  int col = warp() * FEW_COLS + t * 32;
  FewCodes next = load(col);
  fill_table(table, codebook);
  __syncthreads();
  float d[4] = {0, 0, 0, 0};
  // The last step may reach past the end for some lanes; all take part in it.
  for (int step = warp() * FEW_COLS; step < cols; step += FEW_WARPS * FEW_COLS) {
    FewCodes now = next;
    uint4 inputs[4];
#pragma unroll
    for (int w = 0; w < 4; w++) {
      bool inside = g < tokens && col < cols;
      inputs[w] = inside ? *(const uint4*)(x + (int64_t)g * cols + col + 8 * w) : uint4{0, 0, 0, 0};
    }
    float scale[2];
    scales.decode(scale, now.scales, {blocks.of(place(col, 0)), blocks.of(place(col, 1))});
    col += FEW_WARPS * FEW_COLS;
    next = load(col);
#pragma unroll
    for (int w = 0; w < 4; w++) {
      unsigned pairs[2][4];
#pragma unroll
      for (int h = 0; h < 2; h++) {
        unsigned word = word_of(now.codes[h], w);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          pairs[h][i] = pack_bf16(__fmul_rn(look_up(table, word, 2 * i), scale[h]),
                                  __fmul_rn(look_up(table, word, 2 * i + 1), scale[h]));
        }
      }
      mma_16x8x16(d, {pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1]}, {inputs[w].x, inputs[w].y});
      mma_16x8x16(d, {pairs[0][2], pairs[1][2], pairs[0][3], pairs[1][3]}, {inputs[w].z, inputs[w].w});
    }
  }

#pragma unroll
  for (int i = 0; i < 4; i++) sums[warp()][2 * t + i % 2][g + i / 2 * 8] = d[i];
  __syncthreads();
  int token = threadIdx.x / FEW_ROWS, o = threadIdx.x % FEW_ROWS;
  if (token < tokens && first_row + o < rows) {
    float sum = 0;
    for (int w = 0; w < FEW_WARPS; w++) sum += sums[w][token][o];
    out[(int64_t)token * rows + first_row + o] = from_float<bf16>(sum);
  }
}

// ---- quantising ----

constexpr int QUANTIZE_THREADS = 256;

// The codebook in ascending order, with the middles between neighbours.
struct Middles {
  float values[16];
  float between[15];
  int codes[16];
};

// All threads of a block must call it.
__device__ void fill_middles(Middles& m, const float* codebook) {
  int i = threadIdx.x;
  if (i < 16) {
    int rank = 0;
    for (int j = 0; j < 16; j++) rank += codebook[j] < codebook[i] || (codebook[j] == codebook[i] && j < i);
    m.values[rank] = codebook[i];
    m.codes[rank] = i;
  }
  __syncthreads();
  if (i < 15) m.between[i] = __fmul_rn(__fadd_rn(m.values[i], m.values[i + 1]), 0.5f);
  __syncthreads();
}

// The code of the nearest value, the lower one in a tie: as many middles as lie below x, found by halving.
__device__ __forceinline__ int code_of(const Middles& m, float x) {
  int below = 0;
#pragma unroll
  for (int step = 8; step > 0; step /= 2) below += m.between[below + step - 1] < x ? step : 0;
  return m.codes[below];
}

// A warp for each block of weights: its largest magnitude, then its codes, two to a byte.
template <class T>
__device__ void quantize(uint8_t* codes, float* absmax, const T* in, int64_t n, int block, const float* codebook) {
  __shared__ Middles middles;
  fill_middles(middles, codebook);
  int64_t blocks = (n + block - 1) / block;
  for (int64_t b = global_thread() / WARP; b < blocks; b += global_threads() / WARP) {
    const T* x = in + b * block;
    int length = (int)min((int64_t)block, n - b * block);
    float largest = 0;
    for (int i = lane(); i < length; i += WARP) largest = fmaxf(largest, fabsf(to_float(x[i])));
    largest = warp_max(largest);
    if (lane() == 0) absmax[b] = largest;
    float divisor = fmaxf(largest, 1e-38f);
    float reciprocal = __fdiv_rn(1.0f, divisor);
    auto code = [&](int i) {
      if (i >= length) return code_of(middles, 0);  // the spare half of the last byte
      float v = to_float(x[i]);
      v = length == block ? __fmul_rn(v, reciprocal) : __fdiv_rn(v, divisor);
      return code_of(middles, fminf(fmaxf(v, -1.0f), 1.0f));
    };
    for (int i = 2 * lane(); i < length; i += 2 * WARP) {
      codes[(b * block + i) / 2] = (uint8_t)(code(i) << 4 | code(i + 1));
    }
  }
}

#define QUANTIZE(name, T)                                                                                        \
  NIBBLE_KERNEL(QUANTIZE_THREADS, name, uint8_t* codes, float* absmax, const T* in, int64_t n, int block,        \
                const float* codebook) {                                                                         \
    quantize(codes, absmax, in, n, block, codebook);                                                             \
  }
QUANTIZE(quantize_f32, float)
QUANTIZE(quantize_bf16, bf16)
QUANTIZE(quantize_f16, f16)

// The mean of the scales, added in the order of PyTorch's sum on a CPU: lane k is lane k % 8 of chain k / 8, and holds
// its sums of each level of the cascade. One warp; NestedScales.offset is the same in Java.
NIBBLE_KERNEL(WARP, scales_offset, float* offset, const float* scales, int n) {
  constexpr int LEVELS = 4;
  __shared__ float last[WARP];
  float sums[LEVELS] = {0, 0, 0, 0};
  int steps = n / WARP;
  int power = max(4, (steps <= 2 ? 1 : 32 - __clz(steps - 1)) / LEVELS);
  int run = 1 << power;
  for (int from = 0; from < steps; from += run) {
    int end = min(steps, from + run);
#pragma unroll 16
    for (int i = from; i < end; i++) sums[0] = __fadd_rn(sums[0], scales[(int64_t)i * WARP + lane()]);
    if (end - from < run) break;
    // A full run moves one level up, and further when that level is full too.
#pragma unroll
    for (int level = 1; level < LEVELS; level++) {
      sums[level] = __fadd_rn(sums[level], sums[level - 1]);
      sums[level - 1] = 0;
      if ((end & ((int64_t)(run - 1) << (level * power))) != 0) break;
    }
  }
#pragma unroll
  for (int level = 1; level < LEVELS; level++) sums[0] = __fadd_rn(sums[0], sums[level]);
  int vectors = n / 8 * 8;
  if (lane() < 8) {
    for (int i = steps * WARP + lane(); i < vectors; i += 8) sums[0] = __fadd_rn(sums[0], scales[i]);
  }
  last[lane()] = sums[0];
  __syncwarp();
  if (lane() == 0) {
    for (int k = 8; k < WARP; k++) last[k % 8] = __fadd_rn(last[k % 8], last[k]);
    float sum = 0;
    for (int i = vectors; i < n; i++) sum = __fadd_rn(sum, scales[i]);
    for (int k = 0; k < 8; k++) sum = __fadd_rn(sum, last[k]);
    *offset = __fdiv_rn(sum, (float)n);
  }
}

// The bin that a normalised scale falls in, as the value in [-1, 1] that stands for it; see NestedScales.bin.
__device__ __forceinline__ float middle_of_bin(float v) {
  constexpr float LAST = 65535;
  float bin = __fadd_rn(__fmul_rn(__fmul_rn(__fadd_rn(v, 1.0f), 0.5f), LAST), 0.5f);
  bin = (float)(int)fminf(fmaxf(bin, 0.0f), LAST);
  return __fsub_rn(__fmul_rn(__fdiv_rn(bin, LAST), 2.0f), 1.0f);
}

// The scales' own codes: a block of threads for each block of scales.
NIBBLE_KERNEL(QUANTIZE_THREADS, quantize_scales, uint8_t* codes, float* absmax, const float* scales,
              const float* offset, const float* codebook, int64_t n, int block) {
  __shared__ float values[256];
  values[threadIdx.x] = codebook[threadIdx.x];
  __syncthreads();
  int64_t first = (int64_t)blockIdx.x * block;
  int64_t end = min(n, first + block);
  float mean = *offset;
  float largest = 0;
  for (int64_t i = first + threadIdx.x; i < end; i += QUANTIZE_THREADS) {
    largest = fmaxf(largest, fabsf(__fsub_rn(scales[i], mean)));
  }
  largest = block_max(largest);
  if (threadIdx.x == 0) absmax[blockIdx.x] = largest;
  float reciprocal = largest > 0 ? __fdiv_rn(1.0f, largest) : 0;
  for (int64_t i = first + threadIdx.x; i < end; i += QUANTIZE_THREADS) {
    float v = middle_of_bin(largest > 0 ? __fmul_rn(__fsub_rn(scales[i], mean), reciprocal) : 0);
    // The last value at or below v, then the one after it where that is nearer.
    int code = 0;
#pragma unroll
    for (int step = 128; step > 0; step /= 2) code += values[code + step] <= v ? step : 0;
    if (code < 255 && fabsf(__fsub_rn(v, values[code + 1])) < fabsf(__fsub_rn(v, values[code]))) code++;
    codes[i] = (uint8_t)code;
  }
}
