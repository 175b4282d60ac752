// What adapters need beside linear maps: DoRA's lengths, tables that lie on their side, noise.
#include "nibble.cuh"

constexpr int THREADS = 256;

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

// ---- a table [r, V] whose columns are looked up ----

// out[n, k] = table[k, columns[n]]; NaN where there is no such column.
template <class T>
__device__ void gather_columns(T* out, const float* table, const int* columns, int64_t n, int64_t rank, int64_t width) {
  for (int64_t i = global_thread(); i < n * rank; i += global_threads()) {
    int64_t column = columns[i / rank];
    out[i] = from_float<T>(column >= 0 && column < width ? table[i % rank * width + column] : NAN);
  }
}

NIBBLE_KERNEL(THREADS, gather_columns_f32, float* out, const float* table, const int* columns, int64_t n, int64_t rank,
              int64_t width) {
  gather_columns(out, table, columns, n, rank, width);
}
NIBBLE_KERNEL(THREADS, gather_columns_bf16, bf16* out, const float* table, const int* columns, int64_t n, int64_t rank,
              int64_t width) {
  gather_columns(out, table, columns, n, rank, width);
}

// dtable[k, columns[n]] += dout[n, k] in order of n. The block (a warp) of the first n that names a column adds all
// that name it.
template <class T>
__device__ void add_to_table_columns(float* dtable, const T* dout, const int* columns, int64_t n, int64_t rank,
                                     int64_t width) {
  int64_t first = blockIdx.x;
  int column = columns[first];
  if (column < 0 || column >= width || appears_before(columns, first, column)) return;
  for (int64_t from = 0; from < rank; from += WARP) {
    int64_t k = from + lane();
    float sum = k < rank ? dtable[k * width + column] : 0;
    for_each_equal(columns, first, n, column, [&](int64_t i) {
      if (k < rank) sum += to_float(dout[i * rank + k]);
    });
    if (k < rank) dtable[k * width + column] = sum;
  }
}

NIBBLE_KERNEL(WARP, add_to_table_columns_f32, float* dtable, const float* dout, const int* columns, int64_t n,
              int64_t rank, int64_t width) {
  add_to_table_columns(dtable, dout, columns, n, rank, width);
}
NIBBLE_KERNEL(WARP, add_to_table_columns_bf16, float* dtable, const bf16* dout, const int* columns, int64_t n,
              int64_t rank, int64_t width) {
  add_to_table_columns(dtable, dout, columns, n, rank, width);
}

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
