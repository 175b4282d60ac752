// Cross-entropy: a block for each row of logits, which forward reads once, in float32.
#include "nibble.cuh"

constexpr int THREADS = 512;

// The largest value so far, and the sum of exp(value - largest): both in one pass (arXiv:1805.02867).
struct SoftMax {
  float largest;
  float sum;

  __device__ __forceinline__ void add(float x) {
    if (x > largest) {
      sum = sum * expf(largest - x) + 1;
      largest = x;
    } else if (!(x == -INFINITY)) {
      sum += expf(x - largest);  // NaN comes here, and stays
    }
  }

  // largest + log(sum), over the block.
  __device__ __forceinline__ float log_sum() const {
    float top = block_max(largest);
    // A row of -inf alone has top -inf, as has a thread without values.
    float part = largest == -INFINITY ? sum : sum * expf(largest - top);
    return top + logf(block_sum(part));
  }
};

// loss = lse - logits[target], lse = log sum exp(logits); a target outside the row gives NaN.
template <class T>
__device__ void cross_entropy_forward(float* loss, float* lse, const T* logits, const int* targets, int64_t cols) {
  const T* row = logits + blockIdx.x * cols;
  SoftMax total = {-INFINITY, 0};
  in_eights(cols, aligned_16(row), threadIdx.x, blockDim.x, [&](auto width, int64_t c) {
    float x[width.value];
    load(x, row + c);
#pragma unroll
    for (int k = 0; k < width.value; k++) total.add(x[k]);
  });
  float log_sum = total.log_sum();
  if (threadIdx.x == 0) {
    int target = targets[blockIdx.x];
    lse[blockIdx.x] = log_sum;
    loss[blockIdx.x] = target >= 0 && target < cols ? log_sum - to_float(row[target]) : NAN;
  }
}

NIBBLE_KERNEL(THREADS, cross_entropy_forward_f32, float* loss, float* lse, const float* logits, const int* targets,
              int64_t cols) {
  cross_entropy_forward(loss, lse, logits, targets, cols);
}
NIBBLE_KERNEL(THREADS, cross_entropy_forward_bf16, float* loss, float* lse, const bf16* logits, const int* targets,
              int64_t cols) {
  cross_entropy_forward(loss, lse, logits, targets, cols);
}

// dlogits = scales[row] (exp(logits - lse) - (column is the target)); in place where dlogits is logits.
template <class T>
__device__ void cross_entropy_backward(T* dlogits, const float* lse, const T* logits, const int* targets,
                                       const float* scales, int64_t cols) {
  const T* row = logits + blockIdx.x * cols;
  T* to = dlogits + blockIdx.x * cols;
  float log_sum = lse[blockIdx.x];
  int target = targets[blockIdx.x];
  float scale = scales[blockIdx.x];
  in_eights(cols, aligned_16(row) && aligned_16(to), threadIdx.x, blockDim.x, [&](auto width, int64_t c) {
    float x[width.value];
    load(x, row + c);
#pragma unroll
    for (int k = 0; k < width.value; k++) x[k] = scale * (expf(x[k] - log_sum) - (c + k == target ? 1.0f : 0.0f));
    store(to + c, x);
  });
}

NIBBLE_KERNEL(THREADS, cross_entropy_backward_f32, float* dlogits, const float* lse, const float* logits,
              const int* targets, const float* scales, int64_t cols) {
  cross_entropy_backward(dlogits, lse, logits, targets, scales, cols);
}
NIBBLE_KERNEL(THREADS, cross_entropy_backward_bf16, bf16* dlogits, const float* lse, const bf16* logits,
              const int* targets, const float* scales, int64_t cols) {
  cross_entropy_backward(dlogits, lse, logits, targets, scales, cols);
}
