// Filling, converting, and choosing rows and columns. All of it only moves bytes: what a kernel reads and writes is its
// floor.
#include "nibble.cuh"

constexpr int THREADS = 256;

// ---- filling ----

template <class U>
__device__ void fill(U* out, int64_t bits, int64_t n) {
  for (int64_t i = global_thread(); i < n; i += global_threads()) out[i] = (U)bits;
}

NIBBLE_KERNEL(THREADS, fill_8, uint8_t* out, int64_t bits, int64_t n) { fill(out, bits, n); }
NIBBLE_KERNEL(THREADS, fill_16, uint16_t* out, int64_t bits, int64_t n) { fill(out, bits, n); }
NIBBLE_KERNEL(THREADS, fill_32, uint32_t* out, int64_t bits, int64_t n) { fill(out, bits, n); }
NIBBLE_KERNEL(THREADS, fill_64, uint64_t* out, int64_t bits, int64_t n) { fill(out, bits, n); }

// ---- converting ----

template <class To, class From>
__device__ void convert(To* out, const From* in, int64_t n) {
  in_eights(n, aligned_16(out) && aligned_16(in), [&](auto width, int64_t i) {
    float v[width.value];
    load(v, in + i);
    store(out + i, v);
  });
}

#define CONVERT(name, To, From) \
  NIBBLE_KERNEL(THREADS, name, To* out, const From* in, int64_t n) { convert(out, in, n); }
CONVERT(to_f32_bf16, float, bf16)
CONVERT(to_f32_f16, float, f16)
CONVERT(to_bf16_f32, bf16, float)
CONVERT(to_bf16_f16, bf16, f16)
CONVERT(to_f16_f32, f16, float)
CONVERT(to_f16_bf16, f16, bf16)

// Any dtype to any other: the same numbers in Java.
enum Type { F64, F32, BF16, F16, I64, I32, I16, I8, U8, BOOL };

__device__ __forceinline__ double floating(const void* in, int type, int64_t i) {
  switch (type) {
    case F64: return ((const double*)in)[i];
    case F32: return ((const float*)in)[i];
    case BF16: return to_float(((const bf16*)in)[i]);
    default: return to_float(((const f16*)in)[i]);
  }
}

__device__ __forceinline__ int64_t whole(const void* in, int type, int64_t i) {
  switch (type) {
    case I64: return ((const int64_t*)in)[i];
    case I32: return ((const int32_t*)in)[i];
    case I16: return ((const int16_t*)in)[i];
    case I8: return ((const int8_t*)in)[i];
    default: return ((const uint8_t*)in)[i];
  }
}

__device__ __forceinline__ void put_floating(void* out, int type, int64_t i, double x) {
  switch (type) {
    case F64: ((double*)out)[i] = x; break;
    case F32: ((float*)out)[i] = (float)x; break;
    case BF16: ((bf16*)out)[i] = from_float<bf16>((float)x); break;
    default: ((f16*)out)[i] = from_float<f16>((float)x); break;
  }
}

__device__ __forceinline__ void put_whole(void* out, int type, int64_t i, int64_t x) {
  switch (type) {
    case I64: ((int64_t*)out)[i] = x; break;
    case I32: ((int32_t*)out)[i] = (int32_t)x; break;
    case I16: ((int16_t*)out)[i] = (int16_t)x; break;
    default: ((uint8_t*)out)[i] = (uint8_t)x; break;
  }
}

// Floating values become the nearest whole number, halves upwards as Java rounds.
NIBBLE_KERNEL(THREADS, convert_any, void* out, int to, const void* in, int from, int64_t n) {
  for (int64_t i = global_thread(); i < n; i += global_threads()) {
    if (to < I64) {
      put_floating(out, to, i, from < I64 ? floating(in, from, i) : (double)whole(in, from, i));
    } else {
      put_whole(out, to, i, from < I64 ? (int64_t)floor(floating(in, from, i) + 0.5) : whole(in, from, i));
    }
  }
}

// ---- rows of a table ----

// out[n] = table[rows[n]], a block for each row; NaN where there is no such row.
template <class T, class W>
__device__ void gather_rows(T* out, const W* table, const int* rows, int64_t height, int64_t cols) {
  int64_t row = rows[blockIdx.x];
  bool known = row >= 0 && row < height;
  const W* from = table + (known ? row : 0) * cols;
  T* to = out + blockIdx.x * cols;
  in_eights(cols, aligned_16(from) && aligned_16(to), threadIdx.x, blockDim.x, [&](auto width, int64_t c) {
    float v[width.value];
    if (known) {
      load(v, from + c);
    } else {
#pragma unroll
      for (int k = 0; k < width.value; k++) v[k] = NAN;
    }
    store(to + c, v);
  });
}

#define GATHER_ROWS(name, T, W)                                                                              \
  NIBBLE_KERNEL(THREADS, name, T* out, const W* table, const int* rows, int64_t height, int64_t cols) { \
    gather_rows(out, table, rows, height, cols);                                                             \
  }
GATHER_ROWS(gather_rows_f32_f32, float, float)
GATHER_ROWS(gather_rows_bf16_f32, float, bf16)
GATHER_ROWS(gather_rows_f16_f32, float, f16)
GATHER_ROWS(gather_rows_f32_bf16, bf16, float)
GATHER_ROWS(gather_rows_bf16_bf16, bf16, bf16)
GATHER_ROWS(gather_rows_f16_bf16, bf16, f16)

// dtable[rows[n]] += dout[n] in order of n. The block of the first n that names a row adds all that name it.
template <class W, class T>
__device__ void add_to_rows(W* dtable, const T* dout, const int* rows, int64_t n, int64_t height, int64_t cols) {
  int64_t first = blockIdx.x;
  int row = rows[first];
  if (row < 0 || row >= height || appears_before(rows, first, row)) return;
  for (int64_t c = threadIdx.x - lane(); c < cols; c += blockDim.x) {
    int64_t col = c + lane();
    W* sum = dtable + row * cols + col;
    float s = col < cols ? to_float(*sum) : 0;
    for_each_equal(rows, first, n, row, [&](int64_t i) {
      if (col < cols) s += to_float(dout[i * cols + col]);
    });
    if (col < cols) *sum = from_float<W>(s);
  }
}

#define ADD_TO_ROWS(name, W, T)                                                                                    \
  NIBBLE_KERNEL(THREADS, name, W* dtable, const T* dout, const int* rows, int64_t n, int64_t height, int64_t cols) { \
    add_to_rows(dtable, dout, rows, n, height, cols);                                                              \
  }
ADD_TO_ROWS(add_to_rows_f32_f32, float, float)
ADD_TO_ROWS(add_to_rows_f32_bf16, float, bf16)
ADD_TO_ROWS(add_to_rows_bf16_bf16, bf16, bf16)

// ---- columns ----

// out[n, j] = x[n, from + j], a block for each row.
template <class T>
__device__ void columns(T* out, const T* x, int64_t width, int64_t cols, int64_t from) {
  T* to = out + blockIdx.x * width;
  const T* in = x + blockIdx.x * cols + from;
  in_eights(width, aligned_16(to) && aligned_16(in), threadIdx.x, blockDim.x, [&](auto eight, int64_t c) {
    float v[eight.value];
    load(v, in + c);
    store(to + c, v);
  });
}

NIBBLE_KERNEL(THREADS, columns_f32, float* out, const float* x, int64_t width, int64_t cols, int64_t from) {
  columns(out, x, width, cols, from);
}
NIBBLE_KERNEL(THREADS, columns_bf16, bf16* out, const bf16* x, int64_t width, int64_t cols, int64_t from) {
  columns(out, x, width, cols, from);
}

// dx[n, from + j] += dout[n, j].
template <class T>
__device__ void add_to_columns(T* dx, const T* dout, int64_t width, int64_t cols, int64_t from) {
  T* to = dx + blockIdx.x * cols + from;
  const T* in = dout + blockIdx.x * width;
  in_eights(width, aligned_16(to) && aligned_16(in), threadIdx.x, blockDim.x, [&](auto eight, int64_t c) {
    float v[eight.value], sum[eight.value];
    load(v, in + c);
    load(sum, to + c);
#pragma unroll
    for (int k = 0; k < eight.value; k++) sum[k] += v[k];
    store(to + c, sum);
  });
}

NIBBLE_KERNEL(THREADS, add_to_columns_f32, float* dx, const float* dout, int64_t width, int64_t cols, int64_t from) {
  add_to_columns(dx, dout, width, cols, from);
}
NIBBLE_KERNEL(THREADS, add_to_columns_bf16, bf16* dx, const bf16* dout, int64_t width, int64_t cols, int64_t from) {
  add_to_columns(dx, dout, width, cols, from);
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
