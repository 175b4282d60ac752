// Attention in float32, tile by tile (FlashAttention, arXiv:2205.14135): the exact way, for every size of head, and for
// what tensor cores do not take. No matrix of scores is larger than a tile.
//
// A block of 256 threads has B queries (or keys); G = 256 / B lanes of one warp share each. A lane has every G-th
// column of its row's sums in registers.
#include "attention.cuh"

constexpr int THREADS = 256;

// Copies B rows of one head to shared memory, rows from `count` on as zeros.
template <int B, class T>
__device__ __forceinline__ void load_rows(float* tile, const T* from, int64_t row_stride, int size, int count) {
  for (int i = threadIdx.x; i < B * size; i += THREADS) {
    int row = i / size;
    int c = i - row * size;
    tile[row * (size + 1) + c] = row < count ? to_float(from[row * row_stride + c]) : 0;
  }
}

__device__ __forceinline__ float dot(const float* a, const float* b, int size) {
  float sum = 0;
  for (int c = 0; c < size; c++) sum += a[c] * b[c];
  return sum;
}

// Over the G lanes of a row.
template <int G>
__device__ __forceinline__ float row_sum(float x) {
  for (int d = G / 2; d > 0; d /= 2) x += __shfl_xor_sync(ALL_LANES, x, d);
  return x;
}

template <int G>
__device__ __forceinline__ float row_max(float x) {
  for (int d = G / 2; d > 0; d /= 2) x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, d));
  return x;
}

// sums[c] += sum over rows j in [from, to) of factors[j] tile[j, column c of this lane].
template <int G, int N>
__device__ __forceinline__ void add_rows(float (&sums)[N], const float* factors, const float* tile, int size, int g,
                                         int from, int to) {
  for (int j = from; j < to; j++) {
    float f = factors[j];
    const float* row = tile + j * (size + 1);
#pragma unroll
    for (int c = 0; c < N; c++) {
      if (g + G * c < size) sums[c] += f * row[g + G * c];
    }
  }
}

// ---- forward ----

template <int B, int MOST, class T>
__device__ void forward(T* out, float* lse, const T* q, const T* k, const T* v, const Attention& a, const int* segments,
                        int segment_count) {
  constexpr int G = THREADS / B;
  NIBBLE_DYNAMIC_SHARED(shared);
  int stride = a.size + 1;
  float* q_tile = (float*)shared;
  float* kv_tile = q_tile + B * stride;
  float* p_tile = kv_tile + B * stride;
  Tile tile = find_tile(a, segments, segment_count, blockIdx.x, B, false);
  if (tile.first < 0) return;
  int head = blockIdx.y;
  int key_head = head / (a.heads / a.key_heads);
  int row = threadIdx.x / G;
  int g = threadIdx.x % G;
  int rows = min(B, tile.q_length - tile.first);
  int position = tile.first + row + tile.shift();
  Seen seen(a, tile, position);
  if (row >= rows) seen.to = seen.from;

  int64_t first_row = tile.q_start + tile.first;
  load_rows<B>(q_tile, q + a.query_at(first_row, head), (int64_t)a.heads * a.size, a.size, rows);
  float top = -INFINITY;
  float sum = 0;
  float o[MOST / G];
#pragma unroll
  for (int c = 0; c < MOST / G; c++) o[c] = 0;

  int end = tile.keys_end(a, rows);
  for (int key = Seen(a, tile, tile.first + tile.shift()).from; key < end; key += B) {
    int count = min(B, end - key);
    int64_t at = a.key_at(tile.k_start + key, key_head);
    __syncthreads();
    load_rows<B>(kv_tile, k + at, (int64_t)a.key_heads * a.size, a.size, count);
    __syncthreads();
    float z[B / G];
    float largest = -INFINITY;
#pragma unroll
    for (int i = 0; i < B / G; i++) {
      int j = g + G * i;
      z[i] = -INFINITY;
      if (seen.has(key + j)) z[i] = a.capped(a.scale * dot(q_tile + row * stride, kv_tile + j * stride, a.size));
      largest = fmaxf(largest, z[i]);
    }
    float new_top = fmaxf(top, row_max<G>(largest));
    float shrink = top == -INFINITY ? 0 : expf(top - new_top);
    float part = 0;
#pragma unroll
    for (int i = 0; i < B / G; i++) {
      int j = g + G * i;
      float p = seen.has(key + j) ? expf(z[i] - new_top) : 0;
      p_tile[row * (B + 1) + j] = p;
      part += p;
    }
    sum = sum * shrink + row_sum<G>(part);
    top = new_top;
    __syncthreads();
    load_rows<B>(kv_tile, v + at, (int64_t)a.key_heads * a.size, a.size, count);
    __syncthreads();
#pragma unroll
    for (int c = 0; c < MOST / G; c++) o[c] *= shrink;
    // What a query does not see is not even multiplied: it may be NaN.
    add_rows<G>(o, p_tile + row * (B + 1), kv_tile, a.size, g, max(0, seen.from - key), min(count, seen.to - key));
  }
  if (row >= rows) return;
  T* to = out + a.query_at(first_row + row, head);
#pragma unroll
  for (int c = 0; c < MOST / G; c++) {
    if (g + G * c < a.size) to[g + G * c] = from_float<T>(o[c] / sum);
  }
  if (g == 0) lse[(first_row + row) * a.heads + head] = top + logf(sum);
}

// ---- backward: P = exp(z - lse), dS = scale P (dout v^T - delta) slope ----

// dq += dS k, by tiles of queries. blockIdx.y counts heads from first_head, as delta does.
template <int B, int MOST, class T>
__device__ void backward_queries(T* dq, const T* dout, const float* lse, const float* delta, const T* q, const T* k,
                                 const T* v, const Attention& a, const int* segments, int segment_count,
                                 int first_head) {
  constexpr int G = THREADS / B;
  NIBBLE_DYNAMIC_SHARED(shared);
  int stride = a.size + 1;
  float* q_tile = (float*)shared;
  float* d_tile = q_tile + B * stride;
  float* kv_tile = d_tile + B * stride;
  float* s_tile = kv_tile + B * stride;
  Tile tile = find_tile(a, segments, segment_count, blockIdx.x, B, false);
  if (tile.first < 0) return;
  int head = first_head + blockIdx.y;
  int key_head = head / (a.heads / a.key_heads);
  int row = threadIdx.x / G;
  int g = threadIdx.x % G;
  int rows = min(B, tile.q_length - tile.first);
  Seen seen(a, tile, tile.first + row + tile.shift());
  if (row >= rows) seen.to = seen.from;

  int64_t first_row = tile.q_start + tile.first;
  int64_t query_stride = (int64_t)a.heads * a.size;
  int64_t key_stride = (int64_t)a.key_heads * a.size;
  load_rows<B>(q_tile, q + a.query_at(first_row, head), query_stride, a.size, rows);
  load_rows<B>(d_tile, dout + a.query_at(first_row, head), query_stride, a.size, rows);
  float log_sum = row < rows ? lse[(first_row + row) * a.heads + head] : 0;
  float own_delta = row < rows ? delta[(first_row + row) * gridDim.y + blockIdx.y] : 0;
  float sums[MOST / G];
#pragma unroll
  for (int c = 0; c < MOST / G; c++) sums[c] = 0;

  int end = tile.keys_end(a, rows);
  for (int key = Seen(a, tile, tile.first + tile.shift()).from; key < end; key += B) {
    int count = min(B, end - key);
    int64_t at = a.key_at(tile.k_start + key, key_head);
    __syncthreads();
    load_rows<B>(kv_tile, v + at, key_stride, a.size, count);
    __syncthreads();
    float dp[B / G];
#pragma unroll
    for (int i = 0; i < B / G; i++) dp[i] = dot(d_tile + row * stride, kv_tile + (g + G * i) * stride, a.size);
    __syncthreads();
    load_rows<B>(kv_tile, k + at, key_stride, a.size, count);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < B / G; i++) {
      int j = g + G * i;
      float ds = 0;
      if (seen.has(key + j)) {
        float z = a.capped(a.scale * dot(q_tile + row * stride, kv_tile + j * stride, a.size));
        ds = a.scale * expf(z - log_sum) * (dp[i] - own_delta) * a.slope(z);
      }
      s_tile[row * (B + 1) + j] = ds;
    }
    __syncwarp();
    add_rows<G>(sums, s_tile + row * (B + 1), kv_tile, a.size, g, max(0, seen.from - key), min(count, seen.to - key));
  }
  if (row >= rows) return;
  T* to = dq + a.query_at(first_row + row, head);
#pragma unroll
  for (int c = 0; c < MOST / G; c++) {
    if (g + G * c < a.size) to[g + G * c] = from_float<T>(to_float(to[g + G * c]) + sums[c]);
  }
}

// dk += dS^T q and dv += P^T dout, by tiles of keys: over the query heads that share them, and their queries, in order.
// blockIdx.y counts key heads from that of first_head.
template <int B, int MOST, class T>
__device__ void backward_keys(T* dk, T* dv, const T* dout, const float* lse, const float* delta, const T* q, const T* k,
                              const T* v, const Attention& a, const int* segments, int segment_count, int first_head) {
  constexpr int G = THREADS / B;
  NIBBLE_DYNAMIC_SHARED(shared);
  int stride = a.size + 1;
  float* k_tile = (float*)shared;
  float* v_tile = k_tile + B * stride;
  float* q_tile = v_tile + B * stride;
  float* d_tile = q_tile + B * stride;
  float* p_tile = d_tile + B * stride;
  float* s_tile = p_tile + B * (B + 1);
  Tile tile = find_tile(a, segments, segment_count, blockIdx.x, B, true);
  if (tile.first < 0) return;
  int group = a.heads / a.key_heads;
  int key_head = first_head / group + blockIdx.y;
  int delta_heads = gridDim.y * group;
  int row = threadIdx.x / G;
  int g = threadIdx.x % G;
  int key = tile.first + row;
  int rows = min(B, tile.k_length - tile.first);
  int64_t first_row = tile.k_start + tile.first;
  int64_t query_stride = (int64_t)a.heads * a.size;
  int64_t key_stride = (int64_t)a.key_heads * a.size;
  load_rows<B>(k_tile, k + a.key_at(first_row, key_head), key_stride, a.size, rows);
  load_rows<B>(v_tile, v + a.key_at(first_row, key_head), key_stride, a.size, rows);
  float key_sums[MOST / G], value_sums[MOST / G];
#pragma unroll
  for (int c = 0; c < MOST / G; c++) key_sums[c] = value_sums[c] = 0;

  // The queries that see one of these keys.
  int from = tile.queries_begin(a);
  int to = tile.queries_end(a, rows);
  for (int head = key_head * group; head < (key_head + 1) * group; head++) {
    for (int query = from; query < to; query += B) {
      int count = min(B, to - query);
      int64_t query_row = tile.q_start + query;
      __syncthreads();
      load_rows<B>(q_tile, q + a.query_at(query_row, head), query_stride, a.size, count);
      load_rows<B>(d_tile, dout + a.query_at(query_row, head), query_stride, a.size, count);
      __syncthreads();
#pragma unroll
      for (int i = 0; i < B / G; i++) {
        int j = g + G * i;
        float p = 0;
        float ds = 0;
        if (row < rows && j < count && Seen(a, tile, query + j + tile.shift()).has(key)) {
          float z = a.capped(a.scale * dot(k_tile + row * stride, q_tile + j * stride, a.size));
          float dp = dot(v_tile + row * stride, d_tile + j * stride, a.size);
          p = expf(z - lse[(query_row + j) * a.heads + head]);
          ds = a.scale * p * (dp - delta[(query_row + j) * delta_heads + head - first_head]) * a.slope(z);
        }
        p_tile[row * (B + 1) + j] = p;
        s_tile[row * (B + 1) + j] = ds;
      }
      __syncwarp();
      add_rows<G>(value_sums, p_tile + row * (B + 1), d_tile, a.size, g, 0, count);
      add_rows<G>(key_sums, s_tile + row * (B + 1), q_tile, a.size, g, 0, count);
    }
  }
  if (row >= rows) return;
  T* to_key = dk + a.key_at(first_row + row, key_head);
  T* to_value = dv + a.key_at(first_row + row, key_head);
#pragma unroll
  for (int c = 0; c < MOST / G; c++) {
    int col = g + G * c;
    if (col < a.size) {
      to_key[col] = from_float<T>(to_float(to_key[col]) + key_sums[c]);
      to_value[col] = from_float<T>(to_float(to_value[col]) + value_sums[c]);
    }
  }
}

// Shared memory has room for two or three of these blocks on a multiprocessor: registers are not saved for more, which
// would spill them.
#ifdef __CUDACC__
#define BOUNDED THREADS, 2
#else
#define BOUNDED THREADS
#endif

// For heads of at most MOST elements.
#define ATTENTION(B, MOST, T, name)                                                                                    \
  NIBBLE_KERNEL(BOUNDED, attention_forward_##MOST##_##name, T* out, float* lse, const T* q, const T* k, const T* v,    \
                ATTENTION_PARAMETERS) {                                                                                \
    forward<B, MOST>(out, lse, q, k, v, ATTENTION_ARGUMENTS, segments, segment_count);                                 \
  }                                                                                                                    \
  NIBBLE_KERNEL(BOUNDED, attention_backward_queries_##MOST##_##name, T* dq, const T* dout, const float* lse,           \
                const float* delta, const T* q, const T* k, const T* v, ATTENTION_PARAMETERS, int first_head) {        \
    backward_queries<B, MOST>(dq, dout, lse, delta, q, k, v, ATTENTION_ARGUMENTS, segments, segment_count, first_head); \
  }                                                                                                                    \
  NIBBLE_KERNEL(BOUNDED, attention_backward_keys_##MOST##_##name, T* dk, T* dv, const T* dout, const float* lse,       \
                const float* delta, const T* q, const T* k, const T* v, ATTENTION_PARAMETERS, int first_head) {        \
    backward_keys<B, MOST>(dk, dv, dout, lse, delta, q, k, v, ATTENTION_ARGUMENTS, segments, segment_count,            \
                           first_head);                                                                                \
  }
ATTENTION(32, 64, float, f32)
ATTENTION(32, 64, bf16, bf16)
ATTENTION(32, 128, float, f32)
ATTENTION(32, 128, bf16, bf16)
ATTENTION(16, 256, float, f32)
ATTENTION(16, 256, bf16, bf16)
