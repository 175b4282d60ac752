// Sums, scaling, gated activations, GELU, soft caps, dropout and noise: one pass over memory each.
#include "nibble.cuh"

constexpr int THREADS = 256;

// ---- sums and scaling ----

template <class T>
__device__ void add(T* out, const T* a, const T* b, int64_t n) {
  in_eights(n, aligned_16(out) && aligned_16(a) && aligned_16(b), [&](auto width, int64_t i) {
    float x[width.value], y[width.value];
    load(x, a + i);
    load(y, b + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) x[k] += y[k];
    store(out + i, x);
  });
}

NIBBLE_KERNEL(THREADS, add_f32, float* out, const float* a, const float* b, int64_t n) { add(out, a, b, n); }
NIBBLE_KERNEL(THREADS, add_bf16, bf16* out, const bf16* a, const bf16* b, int64_t n) { add(out, a, b, n); }

template <class T>
__device__ void scale(T* x, float factor, int64_t n) {
  in_eights(n, aligned_16(x), [&](auto width, int64_t i) {
    float v[width.value];
    load(v, x + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) v[k] *= factor;
    store(x + i, v);
  });
}

NIBBLE_KERNEL(THREADS, scale_f32, float* x, float factor, int64_t n) { scale(x, factor, n); }
NIBBLE_KERNEL(THREADS, scale_bf16, bf16* x, float factor, int64_t n) { scale(x, factor, n); }

// out[n, c] = x[n, c] factors[c], a block for each row.
template <class T>
__device__ void scale_columns(T* out, const T* x, const float* factors, int64_t cols) {
  T* to = out + blockIdx.x * cols;
  const T* in = x + blockIdx.x * cols;
  bool fit = aligned_16(to) && aligned_16(in) && aligned_16(factors);
  in_eights(cols, fit, threadIdx.x, blockDim.x, [&](auto width, int64_t c) {
    float v[width.value], f[width.value];
    load(v, in + c);
    load(f, factors + c);
#pragma unroll
    for (int k = 0; k < width.value; k++) v[k] *= f[k];
    store(to + c, v);
  });
}

NIBBLE_KERNEL(THREADS, scale_columns_f32, float* out, const float* x, const float* factors, int64_t cols) {
  scale_columns(out, x, factors, cols);
}
NIBBLE_KERNEL(THREADS, scale_columns_bf16, bf16* out, const bf16* x, const float* factors, int64_t cols) {
  scale_columns(out, x, factors, cols);
}

// out[c] += sum_n a[n, c] b[n, c].
template <class T>
__device__ void column_dots(float* out, const T* a, const T* b, int64_t rows, int64_t cols) {
  add_column_sums(out, rows, cols, [&](int64_t row, int64_t col) {
    return to_float(a[row * cols + col]) * to_float(b[row * cols + col]);
  });
}

NIBBLE_KERNEL(THREADS, column_dots_f32, float* out, const float* a, const float* b, int64_t rows, int64_t cols) {
  column_dots(out, a, b, rows, cols);
}
NIBBLE_KERNEL(THREADS, column_dots_bf16, float* out, const bf16* a, const bf16* b, int64_t rows, int64_t cols) {
  column_dots(out, a, b, rows, cols);
}

// ---- gated activations: a(x) = x s(w(x)), s the logistic function ----

struct Silu {
  // w(x)
  static __device__ __forceinline__ float argument(float x) { return x; }
  // x w'(x)
  static __device__ __forceinline__ float inner(float x) { return x; }
};

// The tanh form of GELU. Beyond the bound s is 0 or 1; the cube of more would overflow.
struct Gelu {
  static constexpr float BOUND = 20;
  static constexpr float SLOPE = 1.5957691216057308f;  // 2 sqrt(2 / pi)
  static constexpr float CUBIC = SLOPE * 0.044715f;
  // Keeps NaN, as fminf would not.
  static __device__ __forceinline__ float bounded(float x) { return x > BOUND ? BOUND : x < -BOUND ? -BOUND : x; }
  static __device__ __forceinline__ float argument(float x) {
    float b = bounded(x);
    return (b * b * CUBIC + SLOPE) * b;
  }
  static __device__ __forceinline__ float inner(float x) {
    float b = bounded(x);
    return b * (b * b * (3 * CUBIC) + SLOPE);
  }
};

template <class A, class T>
__device__ void gated_forward(T* out, const T* gate, const T* up, int64_t n) {
  in_eights(n, aligned_16(out) && aligned_16(gate) && aligned_16(up), [&](auto width, int64_t i) {
    float x[width.value], u[width.value];
    load(x, gate + i);
    load(u, up + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) x[k] = x[k] / (1 + expf(-A::argument(x[k]))) * u[k];
    store(out + i, x);
  });
}

// dup += dout a(gate); dgate += dout up a'(gate), a' = s + x w' s (1 - s).
template <class A, class T>
__device__ void gated_backward(T* dgate, T* dup, const T* dout, const T* gate, const T* up, int64_t n) {
  bool fit = aligned_16(dgate) && aligned_16(dup) && aligned_16(dout) && aligned_16(gate) && aligned_16(up);
  in_eights(n, fit, [&](auto width, int64_t i) {
    float x[width.value], u[width.value], d[width.value], dg[width.value], du[width.value];
    load(x, gate + i);
    load(u, up + i);
    load(d, dout + i);
    load(dg, dgate + i);
    load(du, dup + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) {
      float s = 1 / (1 + expf(-A::argument(x[k])));
      du[k] += d[k] * (x[k] * s);
      dg[k] += d[k] * u[k] * (s * (1 + A::inner(x[k]) * (1 - s)));
    }
    store(dgate + i, dg);
    store(dup + i, du);
  });
}

#define GATED(name, A, T)                                                                                         \
  NIBBLE_KERNEL(THREADS, gated_forward_##name, T* out, const T* gate, const T* up, int64_t n) {                   \
    gated_forward<A>(out, gate, up, n);                                                                           \
  }                                                                                                               \
  NIBBLE_KERNEL(THREADS, gated_backward_##name, T* dgate, T* dup, const T* dout, const T* gate, const T* up, int64_t n) { \
    gated_backward<A>(dgate, dup, dout, gate, up, n);                                                             \
  }
GATED(silu_f32, Silu, float)
GATED(silu_bf16, Silu, bf16)
GATED(gelu_f32, Gelu, float)
GATED(gelu_bf16, Gelu, bf16)

// ---- GELU: x P(x) ----

// P is the logistic function of A::argument. By the quick division, which is right to two units in the last place: eight
// of the exact one would spill registers.
template <class A>
struct Logistic {
  static __device__ __forceinline__ float value(float x) { return __fdividef(1, 1 + expf(-A::argument(x))); }
  // x P'(x), p = P(x)
  static __device__ __forceinline__ float inner(float x, float p) { return A::inner(x) * p * (1 - p); }
};

struct Quick {
  static __device__ __forceinline__ float argument(float x) { return 1.702f * x; }
  static __device__ __forceinline__ float inner(float x) { return 1.702f * x; }
};

// The distribution function of a normal variable. In float64: the tail would lose its digits in float32. A call, since
// eight copies of it would be most of this program.
struct Normal {
  static __device__ __noinline__ float value(float x) { return (float)(0.5 * erfc(-(double)x * 0.70710678118654752)); }
  static __device__ __forceinline__ float inner(float x, float p) { return x * (0.3989422804f * expf(-0.5f * x * x)); }
};

template <class P, class T>
__device__ void gelu_forward(T* out, const T* x, int64_t n) {
  in_eights(n, aligned_16(out) && aligned_16(x), [&](auto width, int64_t i) {
    float v[width.value];
    load(v, x + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) v[k] *= P::value(v[k]);
    store(out + i, v);
  });
}

// dx += dout (P(x) + x P'(x)).
template <class P, class T>
__device__ void gelu_backward(T* dx, const T* dout, const T* x, int64_t n) {
  in_eights(n, aligned_16(dx) && aligned_16(dout) && aligned_16(x), [&](auto width, int64_t i) {
    float v[width.value], d[width.value];
    load(v, x + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) {
      float p = P::value(v[k]);
      v[k] = p + P::inner(v[k], p);
    }
    load(d, dout + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) v[k] *= d[k];
    load(d, dx + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) v[k] += d[k];
    store(dx + i, v);
  });
}

#define GELU(name, P, T)                                                                                   \
  NIBBLE_KERNEL(THREADS, gelu_forward_##name, T* out, const T* x, int64_t n) { gelu_forward<P>(out, x, n); } \
  NIBBLE_KERNEL(THREADS, gelu_backward_##name, T* dx, const T* dout, const T* x, int64_t n) {              \
    gelu_backward<P>(dx, dout, x, n);                                                                      \
  }
GELU(exact_f32, Normal, float)
GELU(exact_bf16, Normal, bf16)
GELU(tanh_f32, Logistic<Gelu>, float)
GELU(tanh_bf16, Logistic<Gelu>, bf16)
GELU(quick_f32, Logistic<Quick>, float)
GELU(quick_bf16, Logistic<Quick>, bf16)

// ---- soft cap ----

template <class T>
__device__ void soft_cap_forward(T* x, float cap, int64_t n) {
  in_eights(n, aligned_16(x), [&](auto width, int64_t i) {
    float v[width.value];
    load(v, x + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) v[k] = cap * tanhf(v[k] / cap);
    store(x + i, v);
  });
}

// dx *= 1 - (x / cap)^2, x already capped.
template <class T>
__device__ void soft_cap_backward(T* dx, const T* x, float cap, int64_t n) {
  float inverse = 1 / cap;
  in_eights(n, aligned_16(dx) && aligned_16(x), [&](auto width, int64_t i) {
    float v[width.value], d[width.value];
    load(v, x + i);
    load(d, dx + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) {
      float t = v[k] * inverse;
      d[k] *= 1 - t * t;
    }
    store(dx + i, d);
  });
}

#define SOFT_CAP(name, T)                                                                            \
  NIBBLE_KERNEL(THREADS, soft_cap_forward_##name, T* x, float cap, int64_t n) { soft_cap_forward(x, cap, n); } \
  NIBBLE_KERNEL(THREADS, soft_cap_backward_##name, T* dx, const T* x, float cap, int64_t n) {        \
    soft_cap_backward(dx, x, cap, n);                                                                \
  }
SOFT_CAP(f32, float)
SOFT_CAP(bf16, bf16)

// ---- dropout ----

template <class T>
__device__ void dropout_forward(T* out, const T* x, float keep, int64_t threshold, int64_t seed, int64_t n) {
  in_eights(n, aligned_16(out) && aligned_16(x), [&](auto width, int64_t i) {
    float v[width.value];
    load(v, x + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) v[k] = random_24(seed, i + k) < threshold ? 0 : v[k] / keep;
    store(out + i, v);
  });
}

template <class T>
__device__ void dropout_backward(T* dx, const T* dout, float keep, int64_t threshold, int64_t seed, int64_t n) {
  in_eights(n, aligned_16(dx) && aligned_16(dout), [&](auto width, int64_t i) {
    float d[width.value], sum[width.value];
    load(d, dout + i);
    load(sum, dx + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) sum[k] += random_24(seed, i + k) < threshold ? 0 : d[k] / keep;
    store(dx + i, sum);
  });
}

#define DROPOUT(name, T)                                                                                     \
  NIBBLE_KERNEL(THREADS, dropout_forward_##name, T* out, const T* x, float keep, int64_t threshold, int64_t seed, \
                int64_t n) {                                                                                 \
    dropout_forward(out, x, keep, threshold, seed, n);                                                       \
  }                                                                                                          \
  NIBBLE_KERNEL(THREADS, dropout_backward_##name, T* dx, const T* dout, float keep, int64_t threshold, int64_t seed, \
                int64_t n) {                                                                                 \
    dropout_backward(dx, dout, keep, threshold, seed, n);                                                    \
  }
DROPOUT(f32, float)
DROPOUT(bf16, bf16)

// ---- noise ----

// x[n, c] += alpha / sqrt(L cols) u for the rows of each segment, of L rows; blocks of one y share a segment.
template <class T>
__device__ void add_noise(T* x, const int* segments, int64_t rows, int64_t cols, double alpha, int64_t seed) {
  int64_t start = segments[4 * blockIdx.y];
  int64_t length = segments[4 * blockIdx.y + 1];
  if (start < 0 || length < 0 || start + length > rows) return;
  float magnitude = (float)(alpha / sqrt((double)length * (double)cols));
  for (int64_t i = start * cols + global_thread(); i < (start + length) * cols; i += global_threads()) {
    float u = (float)random_24(seed, i) * 0x1p-23f - 1;
    x[i] = from_float<T>(to_float(x[i]) + magnitude * u);
  }
}

NIBBLE_KERNEL(THREADS, add_noise_f32, float* x, const int* segments, int64_t rows, int64_t cols, double alpha,
              int64_t seed) {
  add_noise(x, segments, rows, cols, alpha, seed);
}
NIBBLE_KERNEL(THREADS, add_noise_bf16, bf16* x, const int* segments, int64_t rows, int64_t cols, double alpha,
              int64_t seed) {
  add_noise(x, segments, rows, cols, alpha, seed);
}
