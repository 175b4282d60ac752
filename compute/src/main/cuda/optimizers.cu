// The norm of gradients, and the optimizers.
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

// ---- AdamW with 8-bit moments ----

constexpr int BLOCK = THREADS;  // states that share a scale
constexpr int CODES = 256;
constexpr float LEAST = 1.17549435e-38f;  // so that nothing is divided by 0

// What codes stand for, and the numbers that tell the code of a value: how many of them are below it.
struct DynamicMap {
  float values[CODES];
  float thresholds[CODES];  // the last one is not used

  __device__ __forceinline__ uint8_t code(float u) const {
    int below = 0;
#pragma unroll
    for (int step = CODES / 2; step > 0; step /= 2)
      if (thresholds[below + step - 1] < u) below += step;
    return (uint8_t)below;
  }
};

// A thread for each weight of a block of states. Moments are rounded after each operation, so that codes are the same
// everywhere. 16 bytes a weight go through memory: gradient, and weight and two codes in and out.
NIBBLE_KERNEL(THREADS, adamw_8bit, float* weight, uint8_t* m, float* m_scales, uint8_t* v, float* v_scales,
              const float* gradient, const float* maps, int64_t n, float decay, float b1, float c1, float b2, float c2,
              float size, float root, float eps) {
  __shared__ DynamicMap map[2];  // of m, of v
  for (int i = threadIdx.x; i < 4 * CODES; i += THREADS) ((float*)map)[i] = maps[i];
  __syncthreads();
  for (int64_t block = blockIdx.x; block * BLOCK < n; block += gridDim.x) {
    int64_t i = block * BLOCK + threadIdx.x;
    float p = 0, q = 0;
    if (i < n) {
      float g = gradient[i];
      p = __fmul_rn(map[0].values[m[i]], m_scales[block]);
      q = __fmul_rn(map[1].values[v[i]], v_scales[block]);
      p = __fadd_rn(__fmul_rn(p, b1), __fmul_rn(g, c1));
      q = __fadd_rn(__fmul_rn(q, b2), __fmul_rn(__fmul_rn(g, g), c2));
      weight[i] = weight[i] * decay - p * size / (sqrtf(q) / root + eps);
    }
    float p_most = block_max(fabsf(p));
    float q_most = block_max(q);
    if (i < n) {
      m[i] = map[0].code(__fdiv_rn(p, fmaxf(p_most, LEAST)));
      v[i] = map[1].code(__fdiv_rn(q, fmaxf(q_most, LEAST)));
    }
    if (threadIdx.x == 0) m_scales[block] = p_most, v_scales[block] = q_most;
  }
}

// ---- Lion, SGD ----

NIBBLE_KERNEL(THREADS, lion, float* weight, float* m, const float* gradient, int64_t n, float decay, float lr, float b1,
              float c1, float b2, float c2) {
  bool fit = aligned_16(weight) && aligned_16(m) && aligned_16(gradient);
  in_eights(n, fit, [&](auto width, int64_t i) {
    float w[width.value], p[width.value], g[width.value];
    load(w, weight + i);
    load(p, m + i);
    load(g, gradient + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) {
      // A fused product may have the other sign where the two cancel.
      float u = __fadd_rn(__fmul_rn(p[k], b1), __fmul_rn(g[k], c1));
      w[k] = w[k] * decay - (u > 0 ? lr : u < 0 ? -lr : 0.0f);
      p[k] = p[k] * b2 + g[k] * c2;
    }
    store(weight + i, w);
    store(m + i, p);
  });
}

// velocity may be gradient.
NIBBLE_KERNEL(THREADS, sgd, float* weight, float* velocity, const float* gradient, int64_t n, float decay, float lr,
              float momentum) {
  bool fit = aligned_16(weight) && aligned_16(velocity) && aligned_16(gradient);
  in_eights(n, fit, [&](auto width, int64_t i) {
    float w[width.value], u[width.value], g[width.value];
    load(w, weight + i);
    load(u, velocity + i);
    load(g, gradient + i);
#pragma unroll
    for (int k = 0; k < width.value; k++) {
      u[k] = u[k] * momentum + g[k];
      w[k] = w[k] * decay - u[k] * lr;
    }
    store(weight + i, w);
    store(velocity + i, u);
  });
}

// ---- Adafactor, in five launches ----

// rows[row] = b2 rows[row] + c2 (mean of the row's squares + eps): a block for each row.
NIBBLE_KERNEL(THREADS, adafactor_rows, float* rows, const float* gradient, int64_t count, int64_t cols, float b2,
              float c2, float eps) {
  for (int64_t row = blockIdx.x; row < count; row += gridDim.x) {
    float sum = 0;
    for (int64_t i = threadIdx.x; i < cols; i += THREADS) {
      float g = gradient[row * cols + i];
      sum += g * g;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) rows[row] = b2 * rows[row] + c2 * (sum / (float)cols + eps);
  }
}

// The same for columns: a block for each 32 of them, its warps take every 8th row, and are added in order.
NIBBLE_KERNEL(THREADS, adafactor_columns, float* columns, const float* gradient, int64_t rows, int64_t cols, float b2,
              float c2, float eps) {
  constexpr int WARPS = THREADS / WARP;
  __shared__ float parts[WARPS][WARP];
  int64_t col = (int64_t)blockIdx.x * WARP + lane();
  float sum = 0;
  if (col < cols) {
    for (int64_t row = warp(); row < rows; row += WARPS) {
      float g = gradient[row * cols + col];
      sum += g * g;
    }
  }
  parts[warp()][lane()] = sum;
  __syncthreads();
  if (warp() == 0 && col < cols) {
    float total = 0;
    for (int w = 0; w < WARPS; w++) total += parts[w][lane()];
    columns[col] = b2 * columns[col] + c2 * (total / (float)rows + eps);
  }
}

// sums[0] = the mean of rows, sums[1] = 0; by one block.
NIBBLE_KERNEL(THREADS, adafactor_mean, double* sums, const float* rows, int64_t count) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += THREADS) sum += rows[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[0] = sum / (double)count, sums[1] = 0;
}

// Calls f(i, row, col) for this thread's entries of a matrix. One division at the start, none in the loop.
template <class F>
__device__ __forceinline__ void for_each_entry(int64_t n, int64_t cols, F f) {
  int64_t i = global_thread(), step = global_threads();
  int64_t row = i / cols, rows_a_step = step / cols;
  int64_t col = i - row * cols, cols_a_step = step - rows_a_step * cols;
  for (; i < n; i += step) {
    f(i, row, col);
    row += rows_a_step;
    col += cols_a_step;
    if (col >= cols) col -= cols, row++;
  }
}

// parts[block] = sum of squares of the updates that the block takes, for add_parts.
NIBBLE_KERNEL(THREADS, adafactor_squares, double* parts, const double* sums, const float* rows, const float* columns,
              const float* gradient, int64_t n, int64_t cols) {
  float mean = (float)sums[0];
  double sum = 0;
  for_each_entry(n, cols, [&](int64_t i, int64_t row, int64_t col) {
    double u = gradient[i] / sqrtf(rows[row] / mean) / sqrtf(columns[col]);
    sum += u * u;
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

NIBBLE_KERNEL(THREADS, adafactor, float* weight, const double* sums, const float* rows, const float* columns,
              const float* gradient, int64_t n, int64_t cols, float decay, float lr, double clip) {
  float mean = (float)sums[0];
  float size = (float)(lr / fmax(1.0, sqrt(sums[1] / (double)n) / clip));
  for_each_entry(n, cols, [&](int64_t i, int64_t row, int64_t col) {
    weight[i] = weight[i] * decay - size * (gradient[i] / sqrtf(rows[row] / mean) / sqrtf(columns[col]));
  });
}
