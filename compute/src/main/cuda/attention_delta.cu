// What backward attention of every kind needs of its outputs: a file of its own, since a file is compiled when one of its
// kernels is used.
#include "nibble.cuh"

constexpr int THREADS = 256;

// delta[row, head] = sum_d dout out, for heads from `first_head` on; a warp for each.
template <class T>
__device__ void delta_of_heads(float* delta, const T* dout, const T* out, int64_t rows, int heads, int size,
                               int first_head, int head_count) {
  int64_t i = (int64_t)blockIdx.x * (THREADS / WARP) + warp();
  if (i >= rows * head_count) return;
  int64_t at = (i / head_count * heads + first_head + i % head_count) * size;
  float sum = 0;
  for (int c = lane(); c < size; c += WARP) sum += to_float(dout[at + c]) * to_float(out[at + c]);
  sum = warp_sum(sum);
  if (lane() == 0) delta[i] = sum;
}

NIBBLE_KERNEL(THREADS, attention_delta_f32, float* delta, const float* dout, const float* out, int64_t rows, int heads,
              int size, int first_head, int head_count) {
  delta_of_heads(delta, dout, out, rows, heads, size, first_head, head_count);
}
NIBBLE_KERNEL(THREADS, attention_delta_bf16, float* delta, const bf16* dout, const bf16* out, int64_t rows, int heads,
              int size, int first_head, int head_count) {
  delta_of_heads(delta, dout, out, rows, heads, size, first_head, head_count);
}
