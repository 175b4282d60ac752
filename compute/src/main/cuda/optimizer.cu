// The norm of gradients, and AdamW.
#include "nibble.cuh"

constexpr int THREADS = 256;

// parts[block] = sum of squares of what the block takes; the number of blocks is the order of the sum.
template <class T>
__device__ void squares_of_blocks(double* parts, const T* x, int64_t n) {
  double sum = 0;
  in_eights(n, aligned_16(x), [&](auto width, int64_t i) {
    float v[width.value];
    load(v, x + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) sum += (double)v[k] * (double)v[k];
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

NIBBLE_KERNEL(THREADS, squares_of_blocks_f32, double* parts, const float* x, int64_t n) {
  squares_of_blocks(parts, x, n);
}
NIBBLE_KERNEL(THREADS, squares_of_blocks_bf16, double* parts, const bf16* x, int64_t n) {
  squares_of_blocks(parts, x, n);
}

// out += the sum of the parts, by one block.
NIBBLE_KERNEL(THREADS, add_parts, double* out, const double* parts, int count) {
  double sum = 0;
  for (int i = threadIdx.x; i < count; i += THREADS) sum += parts[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *out += sum;
}

// In PyTorch's order. 28 bytes a weight go through memory: gradient, and weight and two moments in and out.
NIBBLE_KERNEL(THREADS, adamw, float* weight, float* m, float* v, const float* gradient, int64_t n, float decay, float b1,
              float c1, float b2, float c2, float size, float root, float eps) {
  bool fit = aligned_16(weight) && aligned_16(m) && aligned_16(v) && aligned_16(gradient);
  in_eights(n, fit, [&](auto width, int64_t i) {
    float w[width.value], p[width.value], q[width.value], g[width.value];
    load(w, weight + i);
    load(p, m + i);
    load(q, v + i);
    load(g, gradient + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) {
      p[k] = p[k] * b1 + g[k] * c1;
      q[k] = q[k] * b2 + g[k] * g[k] * c2;
      w[k] = w[k] * decay - p[k] * size / (sqrtf(q[k]) / root + eps);
    }
    store(weight + i, w);
    store(m + i, p);
    store(v + i, q);
  });
}
