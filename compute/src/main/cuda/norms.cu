// RMSNorm, LayerNorm, DoRA's row lengths and rotary positions. A norm reads its rows from memory once: the second look at
// a row finds it in the cache.
#include "nibble.cuh"

constexpr int THREADS = 256;

// ---- RMSNorm: a row is for one warp where it is short (heads of queries and keys), else for a block ----

struct OfWarp {
  static __device__ __forceinline__ int64_t first_row() { return (int64_t)blockIdx.x * (THREADS / WARP) + warp(); }
  static __device__ __forceinline__ int64_t rows_at_once() { return (int64_t)gridDim.x * (THREADS / WARP); }
  static __device__ __forceinline__ int thread() { return lane(); }
  static __device__ __forceinline__ int threads() { return WARP; }
  static __device__ __forceinline__ float sum(float x) { return warp_sum(x); }
};

struct OfBlock {
  static __device__ __forceinline__ int64_t first_row() { return blockIdx.x; }
  static __device__ __forceinline__ int64_t rows_at_once() { return gridDim.x; }
  static __device__ __forceinline__ int thread() { return threadIdx.x; }
  static __device__ __forceinline__ int threads() { return THREADS; }
  static __device__ __forceinline__ float sum(float x) { return block_sum(x); }
};

template <class Of, class T>
__device__ void rms_norm_forward(T* out, float* rstd, const T* x, const float* weight, int64_t rows, int64_t cols,
                                 float offset, float eps) {
  // Rows of whole eights lie alike.
  bool fit = cols % 8 == 0 && aligned_16(x) && aligned_16(out) && aligned_16(weight);
  for (int64_t row = Of::first_row(); row < rows; row += Of::rows_at_once()) {
    const T* in = x + row * cols;
    T* to = out + row * cols;
    float squares = 0;
    in_eights(cols, fit, Of::thread(), Of::threads(), [&](auto width, int64_t c) {
      float v[width.value];
      load(v, in + c);
#pragma unroll
      for (int k = 0; k < width.value; k++) squares += v[k] * v[k];
    });
    float r = 1 / sqrtf(Of::sum(squares) / (float)cols + eps);
    if (Of::thread() == 0) rstd[row] = r;
    in_eights(cols, fit, Of::thread(), Of::threads(), [&](auto width, int64_t c) {
      float v[width.value], w[width.value];
      load(v, in + c);
      load(w, weight + c);
#pragma unroll
      for (int k = 0; k < width.value; k++) v[k] = v[k] * r * (offset + w[k]);
      store(to + c, v);
    });
  }
}

// With g = dout (offset + weight) and h = x rstd: dx += rstd (g - h mean(g h)).
template <class Of, class T>
__device__ void rms_norm_backward(T* dx, const T* dout, const T* x, const float* rstd, const float* weight,
                                  int64_t rows, int64_t cols, float offset) {
  for (int64_t row = Of::first_row(); row < rows; row += Of::rows_at_once()) {
    const T* in = x + row * cols;
    const T* d = dout + row * cols;
    T* to = dx + row * cols;
    float r = rstd[row];
    bool fit = aligned_16(in) && aligned_16(d) && aligned_16(to) && aligned_16(weight);
    float dot = 0;
    in_eights(cols, fit, Of::thread(), Of::threads(), [&](auto width, int64_t c) {
      float v[width.value], g[width.value], w[width.value];
      load(v, in + c);
      load(g, d + c);
      load(w, weight + c);
#pragma unroll
      for (int k = 0; k < width.value; k++) dot += g[k] * (offset + w[k]) * (v[k] * r);
    });
    float mean = Of::sum(dot) / (float)cols;
    in_eights(cols, fit, Of::thread(), Of::threads(), [&](auto width, int64_t c) {
      float v[width.value], g[width.value], w[width.value], sum[width.value];
      load(v, in + c);
      load(g, d + c);
      load(w, weight + c);
      load(sum, to + c);
#pragma unroll
      for (int k = 0; k < width.value; k++) sum[k] += r * (g[k] * (offset + w[k]) - v[k] * r * mean);
      store(to + c, sum);
    });
  }
}

#define RMS_NORM(name, Of, T)                                                                                         \
  NIBBLE_KERNEL(THREADS, rms_norm_forward_##name, T* out, float* rstd, const T* x, const float* weight, int64_t rows, \
                int64_t cols, float offset, float eps) {                                                              \
    rms_norm_forward<Of>(out, rstd, x, weight, rows, cols, offset, eps);                                              \
  }                                                                                                                   \
  NIBBLE_KERNEL(THREADS, rms_norm_backward_##name, T* dx, const T* dout, const T* x, const float* rstd,               \
                const float* weight, int64_t rows, int64_t cols, float offset) {                                      \
    rms_norm_backward<Of>(dx, dout, x, rstd, weight, rows, cols, offset);                                             \
  }
RMS_NORM(warp_f32, OfWarp, float)
RMS_NORM(warp_bf16, OfWarp, bf16)
RMS_NORM(block_f32, OfBlock, float)
RMS_NORM(block_bf16, OfBlock, bf16)

// dweight[c] += sum_n dout[n, c] x[n, c] rstd[n].
template <class T>
__device__ void rms_norm_backward_weight(float* dweight, const T* dout, const T* x, const float* rstd, int64_t rows,
                                         int64_t cols) {
  add_column_sums(dweight, rows, cols, [&](int64_t row, int64_t col) {
    return to_float(dout[row * cols + col]) * to_float(x[row * cols + col]) * rstd[row];
  });
}

NIBBLE_KERNEL(THREADS, rms_norm_backward_weight_f32, float* dweight, const float* dout, const float* x,
              const float* rstd, int64_t rows, int64_t cols) {
  rms_norm_backward_weight(dweight, dout, x, rstd, rows, cols);
}
NIBBLE_KERNEL(THREADS, rms_norm_backward_weight_bf16, float* dweight, const bf16* dout, const bf16* x,
              const float* rstd, int64_t rows, int64_t cols) {
  rms_norm_backward_weight(dweight, dout, x, rstd, rows, cols);
}

// ---- LayerNorm: a block for each row ----

template <class T>
__device__ void layer_norm_forward(T* out, float* mean, float* rstd, const T* x, const float* weight, const float* bias,
                                   int64_t cols, float eps) {
  const T* in = x + blockIdx.x * cols;
  T* to = out + blockIdx.x * cols;
  bool fit = aligned_16(in) && aligned_16(to) && aligned_16(weight) && aligned_16(bias);
  float sum = 0;
  in_eights(cols, fit, threadIdx.x, THREADS, [&](auto width, int64_t c) {
    float v[width.value];
    load(v, in + c);
#pragma unroll
    for (int k = 0; k < width.value; k++) sum += v[k];
  });
  float m = block_sum(sum) / (float)cols;
  float squares = 0;
  in_eights(cols, fit, threadIdx.x, THREADS, [&](auto width, int64_t c) {
    float v[width.value];
    load(v, in + c);
#pragma unroll
    for (int k = 0; k < width.value; k++) squares += (v[k] - m) * (v[k] - m);
  });
  float r = 1 / sqrtf(block_sum(squares) / (float)cols + eps);
  if (threadIdx.x == 0) {
    mean[blockIdx.x] = m;
    rstd[blockIdx.x] = r;
  }
  in_eights(cols, fit, threadIdx.x, THREADS, [&](auto width, int64_t c) {
    float v[width.value], w[width.value], b[width.value];
    load(v, in + c);
    load(w, weight + c);
    load(b, bias + c);
#pragma unroll
    for (int k = 0; k < width.value; k++) v[k] = (v[k] - m) * r * w[k] + b[k];
    store(to + c, v);
  });
}

// With g = dout weight and h = (x - mean) rstd: dx += rstd (g - mean(g) - h mean(g h)).
template <class T>
__device__ void layer_norm_backward(T* dx, const T* dout, const T* x, const float* mean, const float* rstd,
                                    const float* weight, int64_t cols) {
  const T* in = x + blockIdx.x * cols;
  const T* d = dout + blockIdx.x * cols;
  T* to = dx + blockIdx.x * cols;
  float m = mean[blockIdx.x];
  float r = rstd[blockIdx.x];
  bool fit = aligned_16(in) && aligned_16(d) && aligned_16(to) && aligned_16(weight);
  float sum = 0, dot = 0;
  in_eights(cols, fit, threadIdx.x, THREADS, [&](auto width, int64_t c) {
    float v[width.value], g[width.value], w[width.value];
    load(v, in + c);
    load(g, d + c);
    load(w, weight + c);
#pragma unroll
    for (int k = 0; k < width.value; k++) {
      sum += g[k] * w[k];
      dot += g[k] * w[k] * ((v[k] - m) * r);
    }
  });
  float shift = block_sum(sum) / (float)cols;
  float slope = block_sum(dot) / (float)cols;
  in_eights(cols, fit, threadIdx.x, THREADS, [&](auto width, int64_t c) {
    float v[width.value], g[width.value], w[width.value], total[width.value];
    load(v, in + c);
    load(g, d + c);
    load(w, weight + c);
    load(total, to + c);
#pragma unroll
    for (int k = 0; k < width.value; k++) total[k] += r * (g[k] * w[k] - shift - (v[k] - m) * r * slope);
    store(to + c, total);
  });
}

// dweight[c] += sum_n dout[n, c] (x[n, c] - mean[n]) rstd[n].
template <class T>
__device__ void layer_norm_backward_weight(float* dweight, const T* dout, const T* x, const float* mean,
                                           const float* rstd, int64_t rows, int64_t cols) {
  add_column_sums(dweight, rows, cols, [&](int64_t row, int64_t col) {
    return to_float(dout[row * cols + col]) * (to_float(x[row * cols + col]) - mean[row]) * rstd[row];
  });
}

#define LAYER_NORM(name, T)                                                                                           \
  NIBBLE_KERNEL(THREADS, layer_norm_forward_##name, T* out, float* mean, float* rstd, const T* x,                     \
                const float* weight, const float* bias, int64_t cols, float eps) {                                    \
    layer_norm_forward(out, mean, rstd, x, weight, bias, cols, eps);                                                  \
  }                                                                                                                   \
  NIBBLE_KERNEL(THREADS, layer_norm_backward_##name, T* dx, const T* dout, const T* x, const float* mean,             \
                const float* rstd, const float* weight, int64_t cols) {                                               \
    layer_norm_backward(dx, dout, x, mean, rstd, weight, cols);                                                       \
  }                                                                                                                   \
  NIBBLE_KERNEL(THREADS, layer_norm_backward_weight_##name, float* dweight, const T* dout, const T* x,                \
                const float* mean, const float* rstd, int64_t rows, int64_t cols) {                                   \
    layer_norm_backward_weight(dweight, dout, x, mean, rstd, rows, cols);                                             \
  }
LAYER_NORM(f32, float)
LAYER_NORM(bf16, bf16)

// ---- DoRA's row lengths ----

// out[o] = 1 / sqrt(squares[o] + sum_k b[o, k] (2 s p[k, o] + s^2 q[o, k])), summed in float64: the terms cancel.
NIBBLE_KERNEL(THREADS, inverse_row_norms, float* out, const float* squares, const float* b, const float* p,
              const float* q, int64_t outputs, int64_t rank, double s) {
  for (int64_t o = global_thread(); o < outputs; o += global_threads()) {
    double square = squares[o];
    for (int64_t k = 0; k < rank; k++) {
      square += b[o * rank + k] * s * (2 * (double)p[k * outputs + o] + s * q[o * rank + k]);
    }
    out[o] = (float)(1 / sqrt(fmax(0.0, square)));
  }
}

// ---- rotary positions ----

// Turns each pair (j, j + half) of each head of a token by the angle of its position, forwards or (sign -1) back, in
// place; a block for each token. A position that has no angle gives NaN.
template <class T>
__device__ void rope(T* x, const float* cos, const float* sin, const int* positions, int heads, int head_size, int half,
                     int64_t angles, float sign) {
  int64_t position = positions[blockIdx.x];
  bool known = position >= 0 && position < angles;
  const float* c = cos + (known ? position : 0) * half;
  const float* s = sin + (known ? position : 0) * half;
  T* token = x + (int64_t)blockIdx.x * heads * head_size;
  bool fit = half % 8 == 0 && head_size % 8 == 0 && aligned_16(token) && aligned_16(c) && aligned_16(s);
  in_eights((int64_t)heads * half, fit, threadIdx.x, blockDim.x, [&](auto width, int64_t i) {
    int head = (int)i / half;
    int j = (int)i % half;
    T* low = token + head * head_size + j;
    T* high = low + half;
    float a[width.value], b[width.value], cosine[width.value], sine[width.value];
    load(a, low);
    load(b, high);
    load(cosine, c + j);
    load(sine, s + j);
#pragma unroll
    for (int k = 0; k < width.value; k++) {
      float turned = a[k] * cosine[k] - sign * b[k] * sine[k];
      b[k] = known ? b[k] * cosine[k] + sign * a[k] * sine[k] : NAN;
      a[k] = known ? turned : NAN;
    }
    store(low, a);
    store(high, b);
  });
}

NIBBLE_KERNEL(THREADS, rope_f32, float* x, const float* cos, const float* sin, const int* positions, int heads,
              int head_size, int half, int64_t angles, float sign) {
  rope(x, cos, sin, positions, heads, head_size, half, angles, sign);
}
NIBBLE_KERNEL(THREADS, rope_bf16, bf16* x, const float* cos, const float* sin, const int* positions, int heads,
              int head_size, int half, int64_t angles, float sign) {
  rope(x, cos, sin, positions, heads, head_size, half, angles, sign);
}
