// Weights in integers of a few bits, with a scale and a zero point for each group of elements.
#include "nibble.cuh"

constexpr int THREADS = 256;

// ---- decoding of signed 8-bit codes, in groups of inputs ----

// out[r, j] = weight first + r * cols + j, j < width: 8 a thread where they lie in one group and can be loaded at once.
template <class T>
__device__ void decode(T* out, const int8_t* codes, const float* scales, const int8_t* zeros, int64_t first,
                       int64_t rows, int64_t width, int64_t cols, int group) {
  bool fit = first % 8 == 0 && group % 8 == 0 && (rows == 1 || (cols % 8 == 0 && width % 8 == 0)) &&
             (uintptr_t)codes % 8 == 0 && aligned_16(out);
  in_eights(rows * width, fit, [&](auto step, int64_t i) {
    constexpr int N = decltype(step)::value;
    int64_t from = first + i + (rows == 1 ? 0 : i / width * (cols - width));
    int64_t g = from / group;
    auto c = *(const Pack<int8_t, N>*)(codes + from);
    float scale = scales[g];
    int zero = zeros[g];
    float v[N];
#pragma unroll
    for (int k = 0; k < N; k++) v[k] = __fmul_rn((float)(c.v[k] - zero), scale);
    store(out + i, v);
  });
}

#define DECODE(name, T)                                                                                         \
  NIBBLE_KERNEL(THREADS, name, T* out, const int8_t* codes, const float* scales, const int8_t* zeros,           \
                int64_t first, int64_t rows, int64_t width, int64_t cols, int group) {                          \
    decode(out, codes, scales, zeros, first, rows, width, cols, group);                                         \
  }
DECODE(decode_affine_f32, float)
DECODE(decode_affine_bf16, bf16)
DECODE(decode_affine_f16, f16)

// ---- decoding of streams of codes ----

// One number for each group: stored as it is, or as a code of some bits with pairs of a scale and a zero point.
struct Numbers {
  const void* values;
  const void* scales;
  const void* zeros;
  int stride, span, bits;
  int kind;

  __device__ __forceinline__ float operator[](int g) const {
    switch (kind) {
      case 0: return ((const float*)values)[g];
      case 1: return to_float(((const f16*)values)[g]);
      case 2: return to_float(((const bf16*)values)[g]);
      case 3: return ((const uint8_t*)values)[g];
      default: {
        int whole = g / span, pair = whole * stride + g % stride;
        bool wide = kind == 4;
        float zero = wide ? ((const float*)zeros)[pair] : to_float(((const f16*)zeros)[pair]);
        float scale = wide ? ((const float*)scales)[pair] : to_float(((const f16*)scales)[pair]);
        return __fmul_rn(__fsub_rn(code(g), zero), scale);
      }
    }
  }

  __device__ __forceinline__ float code(int g) const {
    int64_t bit = (int64_t)g * bits;
    const uint8_t* at = (const uint8_t*)values + (bit >> 3);
    int shift = bit & 7, word = at[0];
    if (shift + bits > 8) word |= at[1] << 8;
    return (word >> shift) & ((1 << bits) - 1);
  }
};

// Codes i to i + N of a stream, from the lowest bits up: i * bits bits lie before them. Eight begin and end with a byte.
template <int N>
__device__ __forceinline__ uint64_t codes_at(const uint8_t* codes, int bits, int64_t i) {
  const uint8_t* at = codes + i * bits / 8;
  int shift = N == 8 ? 0 : i * bits % 8, bytes = (shift + N * bits + 7) / 8;
  uint64_t word = 0;
#pragma unroll 1
  for (int b = 0; b < bytes; b++) word |= (uint64_t)at[b] << (8 * b);
  return word >> shift;
}

// The groups of neighbouring elements, from element i on: size elements along inputs, or groups of them along outputs.
// Along inputs a group goes on for the rest of its elements; along outputs each element starts the next.
struct Runs {
  int size, groups, g, rest;

  __device__ __forceinline__ Runs(int64_t i, int size, int groups) : size(size), groups(groups) {
    int period = groups == 0 ? size : groups;
    int whole = i / period, part = i - (int64_t)whole * period;
    g = groups == 0 ? whole : part;
    rest = groups == 0 ? size - part : 1;
  }

  __device__ __forceinline__ int group() const { return g; }

  __device__ __forceinline__ void next() {
    if (--rest == 0) {
      rest = groups == 0 ? size : 1;
      if (++g == groups) g = 0;
    }
  }
};

// The same where index says which of its output's groups, one for each size inputs, an input is in.
struct Indexed {
  const int* index;
  int each, cols, first, input;

  __device__ __forceinline__ Indexed(int64_t i, int size, int cols, const int* index)
      : index(index), each(cols / size), cols(cols) {
    int row = i / cols;
    first = row * each;
    input = i - (int64_t)row * cols;
  }

  __device__ __forceinline__ int group() const { return first + index[input]; }

  __device__ __forceinline__ void next() {
    if (++input == cols) {
      input = 0;
      first += each;
    }
  }
};

// As above, of any width; groups_at tells the groups from an element on.
template <class T, class F>
__device__ void decode_stream(T* out, const uint8_t* codes, int bits, Numbers scales, Numbers zeros, int64_t first,
                              int64_t rows, int64_t width, int64_t cols, F groups_at) {
  bool fit = first % 8 == 0 && (rows == 1 || (cols % 8 == 0 && width % 8 == 0)) && aligned_16(out);
  in_eights(rows * width, fit, [&](auto step, int64_t i) {
    constexpr int N = decltype(step)::value;
    int64_t from = first + i + (rows == 1 ? 0 : i / width * (cols - width));
    auto groups = groups_at(from);
    uint64_t word = codes_at<N>(codes, bits, from);
    float v[N];
#pragma unroll
    for (int k = 0; k < N; k++, word >>= bits) {
      int g = groups.group();
      v[k] = __fmul_rn(__fsub_rn((float)((int)word & ((1 << bits) - 1)), zeros[g]), scales[g]);
      groups.next();
    }
    store(out + i, v);
  });
}

#define DECODE_STREAM(name, T, LAST, ...)                                                                       \
  NIBBLE_KERNEL(THREADS, name, T* out, const uint8_t* codes, int bits, const void* scales,                      \
                const void* scale_scales, const void* scale_zeros, int scale_stride, int scale_span,            \
                int scale_bits, int scale_kind, const void* zeros, const void* zero_scales,                     \
                const void* zero_zeros, int zero_stride, int zero_span, int zero_bits, int zero_kind,           \
                int64_t first, int64_t rows, int64_t width, int64_t cols, int size, LAST) {                     \
    decode_stream(out, codes, bits,                                                                             \
                  {scales, scale_scales, scale_zeros, scale_stride, scale_span, scale_bits, scale_kind},        \
                  {zeros, zero_scales, zero_zeros, zero_stride, zero_span, zero_bits, zero_kind}, first, rows,  \
                  width, cols, [&](int64_t i) { return __VA_ARGS__; });                                         \
  }
DECODE_STREAM(decode_stream_f32, float, int groups, Runs(i, size, groups))
DECODE_STREAM(decode_stream_bf16, bf16, int groups, Runs(i, size, groups))
DECODE_STREAM(decode_stream_f16, f16, int groups, Runs(i, size, groups))
DECODE_STREAM(decode_indexed_f32, float, const int* index, Indexed(i, size, cols, index))
DECODE_STREAM(decode_indexed_bf16, bf16, const int* index, Indexed(i, size, cols, index))
DECODE_STREAM(decode_indexed_f16, f16, const int* index, Indexed(i, size, cols, index))

// ---- encoding ----

// The nearest integer, to even in a tie, that a code can be.
__device__ __forceinline__ float round_to_code(float x) { return fminf(fmaxf(rintf(x), -128.0f), 127.0f); }

// A warp for each group: its range, then its codes.
template <class T>
__device__ void encode(int8_t* codes, float* scales, int8_t* zeros, const T* in, int64_t groups, int group) {
  for (int64_t g = global_thread() / WARP; g < groups; g += global_threads() / WARP) {
    const T* x = in + g * group;
    float high = 0, below = 0;  // below is -low
    for (int i = lane(); i < group; i += WARP) {
      float v = to_float(x[i]);
      high = fmaxf(high, v);
      below = fmaxf(below, -v);
    }
    high = warp_max(high);
    below = warp_max(below);
    float range = __fadd_rn(__fdiv_rn(high, 255.0f), __fdiv_rn(below, 255.0f));
    float scale = range == 0 ? 1 : range;
    float zero = round_to_code(__fadd_rn(-128.0f, __fdiv_rn(below, scale)));
    if (lane() == 0) {
      scales[g] = scale;
      zeros[g] = (int8_t)zero;
    }
#pragma unroll 1  // several divisions at once would spill registers
    for (int i = lane(); i < group; i += WARP) {
      codes[g * group + i] = (int8_t)round_to_code(__fadd_rn(__fdiv_rn(to_float(x[i]), scale), zero));
    }
  }
}

#define ENCODE(name, T)                                                                                       \
  NIBBLE_KERNEL(THREADS, name, int8_t* codes, float* scales, int8_t* zeros, const T* in, int64_t groups,      \
                int group) {                                                                                  \
    encode(codes, scales, zeros, in, groups, group);                                                          \
  }
ENCODE(encode_affine_f32, float)
ENCODE(encode_affine_bf16, bf16)
ENCODE(encode_affine_f16, f16)
