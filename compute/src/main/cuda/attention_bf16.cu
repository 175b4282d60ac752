// Attention in bfloat16 on tensor cores (FlashAttention-2, arXiv:2307.08691), for heads of a multiple of 8 up to 128.
// Sums and the softmax are float32; probabilities and the gradients of scores are rounded to bf16 to be multiplied.
//
// A block has 4 warps and 64 queries (or keys), 16 of a warp. What it loops over comes by cp.async, a tile ahead. Rows
// of a tile lie in chunks of 16 bytes, chunk c of row r in place c ^ (r % 8): the 8 rows that ldmatrix reads at once
// are then in different banks.
#include "attention.cuh"

constexpr int WARPS = 4;
constexpr int THREADS = WARPS * WARP;
constexpr int ROWS = WARPS * 16;
constexpr float LOG2_E = 1.4426950408889634f;

template <int D>
__device__ __forceinline__ bf16* chunk_at(bf16* tile, int row, int chunk) {
  return tile + row * D + (chunk ^ (row & 7)) * 8;
}

// Starts copying R rows of one head, zeros for rows from `count` on and columns from `size` on.
template <int R, int D>
__device__ __forceinline__ void copy_rows(bf16* tile, const bf16* from, int64_t stride, int size, int count) {
#pragma unroll
  for (int i = threadIdx.x; i < R * D / 8; i += THREADS) {
    int row = i / (D / 8);
    int chunk = i % (D / 8);
    copy_async_16(chunk_at<D>(tile, row, chunk), from + row * stride + chunk * 8, row < count && chunk * 8 < size);
  }
}

// Registers of the left factor: rows 16, columns from 16 kk on.
template <int D>
__device__ __forceinline__ void left(unsigned (&a)[4], bf16* tile, int row, int kk) {
  ldmatrix_x4(a, chunk_at<D>(tile, row + lane() % 16, 2 * kk + lane() / 16));
}

// sums[., n] += left right^T: the right factor's rows are 16 columns of the product, from `row` on.
template <int D>
__device__ __forceinline__ void multiply_rows(float (&low)[4], float (&high)[4], const unsigned (&a)[4], bf16* tile,
                                              int row, int kk) {
  unsigned r[4];
  ldmatrix_x4(r, chunk_at<D>(tile, row + lane() / 16 * 8 + lane() % 8, 2 * kk + lane() / 8 % 2));
  const unsigned b0[2] = {r[0], r[1]};
  const unsigned b1[2] = {r[2], r[3]};
  mma_16x8x16(low, a, b0);
  mma_16x8x16(high, a, b1);
}

// sums += left right: 16 rows of the right factor from `row` on; all of its columns.
template <int D>
__device__ __forceinline__ void multiply_columns(float (&sums)[D / 8][4], const unsigned (&a)[4], bf16* tile, int row) {
#pragma unroll
  for (int n = 0; n < D / 16; n++) {
    unsigned r[4];
    ldmatrix_x4_transposed(r, chunk_at<D>(tile, row + lane() / 8 % 2 * 8 + lane() % 8, 2 * n + lane() / 16));
    const unsigned b0[2] = {r[0], r[1]};
    const unsigned b1[2] = {r[2], r[3]};
    mma_16x8x16(sums[2 * n], a, b0);
    mma_16x8x16(sums[2 * n + 1], a, b1);
  }
}

// Two neighbouring tiles of a product as the left factor of the next.
__device__ __forceinline__ void as_left(unsigned (&a)[4], const float (&low)[4], const float (&high)[4]) {
  a[0] = pack_bf16(low[0], low[1]);
  a[1] = pack_bf16(low[2], low[3]);
  a[2] = pack_bf16(high[0], high[1]);
  a[3] = pack_bf16(high[2], high[3]);
}

template <int N>
__device__ __forceinline__ void clear(float (&sums)[N][4]) {
#pragma unroll
  for (int n = 0; n < N; n++) {
#pragma unroll
    for (int i = 0; i < 4; i++) sums[n][i] = 0;
  }
}

// ---- forward ----

constexpr int KEYS = 64;

template <int D>
__device__ void forward(bf16* out, float* lse, const bf16* q, const bf16* k, const bf16* v, const Attention& a,
                        const int* segments, int segment_count) {
  NIBBLE_DYNAMIC_SHARED(shared);
  bf16* q_tile = (bf16*)shared;
  bf16* k_tile = q_tile + ROWS * D;
  bf16* v_tile = k_tile + KEYS * D;
  // Later queries see more keys: those blocks start first.
  Tile tile = find_tile(a, segments, segment_count, gridDim.x - 1 - blockIdx.x, ROWS, false);
  if (tile.first < 0) return;
  int head = blockIdx.y;
  int key_head = head / (a.heads / a.key_heads);
  int rows = min(ROWS, tile.q_length - tile.first);
  int first_position = tile.first + tile.shift();
  int64_t first_row = tile.q_start + tile.first;
  int64_t key_stride = (int64_t)a.key_heads * a.size;
  const bf16* keys = k + a.key_at(tile.k_start, key_head);
  const bf16* values = v + a.key_at(tile.k_start, key_head);
  int begin = Seen(a, tile, first_position).from;
  int end = tile.keys_end(a, rows);

  copy_rows<ROWS, D>(q_tile, q + a.query_at(first_row, head), (int64_t)a.heads * a.size, a.size, rows);
  copy_rows<KEYS, D>(k_tile, keys + begin * key_stride, key_stride, a.size, end - begin);
  copies_commit();
  copy_rows<KEYS, D>(v_tile, values + begin * key_stride, key_stride, a.size, end - begin);
  copies_commit();

  // Of this lane: rows g and g + 8 of its warp's 16, and of each 8 columns 2 t and 2 t + 1.
  int g = lane() / 4;
  int t = lane() % 4;
  int row = warp() * 16;
  Seen seen[2] = {Seen(a, tile, first_position + row + g), Seen(a, tile, first_position + row + g + 8)};
  float top[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0, 0};
  float o[D / 8][4];
  clear(o);
  unsigned queries[D / 16][4];

  for (int key = begin; key < end; key += KEYS) {
    copies_wait<1>();  // the keys, not yet the values
    __syncthreads();
    if (key == begin) {
#pragma unroll
      for (int kk = 0; kk < D / 16; kk++) left<D>(queries[kk], q_tile, row, kk);
    }
    float s[KEYS / 8][4];
    clear(s);
#pragma unroll
    for (int kk = 0; kk < D / 16; kk++) {
#pragma unroll
      for (int n = 0; n < KEYS / 16; n++) multiply_rows<D>(s[2 * n], s[2 * n + 1], queries[kk], k_tile, 16 * n, kk);
    }
    __syncthreads();
    int next = key + KEYS;
    if (next < end) copy_rows<KEYS, D>(k_tile, keys + next * key_stride, key_stride, a.size, end - next);
    copies_commit();

    bool all_seen = a.is_causal()
                        ? key + KEYS <= first_position + 1 && (a.window == 0 || key >= first_position + ROWS - a.window)
                        : key + KEYS <= end;
    float largest[2] = {-INFINITY, -INFINITY};
#pragma unroll
    for (int n = 0; n < KEYS / 8; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        s[n][i] = a.capped(a.scale * s[n][i]);
        if (!all_seen && !seen[i / 2].has(key + 8 * n + 2 * t + i % 2)) s[n][i] = -INFINITY;
        largest[i / 2] = fmaxf(largest[i / 2], s[n][i]);
      }
    }
    float base[2];
#pragma unroll
    for (int h = 0; h < 2; h++) {
      largest[h] = fmaxf(largest[h], __shfl_xor_sync(ALL_LANES, largest[h], 1));
      largest[h] = fmaxf(largest[h], __shfl_xor_sync(ALL_LANES, largest[h], 2));
      float new_top = fmaxf(top[h], largest[h]);
      // A row that has seen nothing yet: exp2(-inf - 0) is 0, where -inf - -inf would be NaN.
      base[h] = new_top == -INFINITY ? 0 : new_top * LOG2_E;
      float shrink = exp2f(top[h] * LOG2_E - base[h]);
      top[h] = new_top;
      sum[h] *= shrink;
#pragma unroll
      for (int n = 0; n < D / 8; n++) {
        o[n][2 * h] *= shrink;
        o[n][2 * h + 1] *= shrink;
      }
    }
#pragma unroll
    for (int n = 0; n < KEYS / 8; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        s[n][i] = exp2f(s[n][i] * LOG2_E - base[i / 2]);
        sum[i / 2] += s[n][i];
      }
    }
    copies_wait<1>();  // the values, not yet the next keys
    __syncthreads();
#pragma unroll
    for (int kk = 0; kk < KEYS / 16; kk++) {
      unsigned p[4];
      as_left(p, s[2 * kk], s[2 * kk + 1]);
      multiply_columns<D>(o, p, v_tile, 16 * kk);
    }
    __syncthreads();
    if (next < end) copy_rows<KEYS, D>(v_tile, values + next * key_stride, key_stride, a.size, end - next);
    copies_commit();
  }
  copies_wait<0>();

#pragma unroll
  for (int h = 0; h < 2; h++) {
    sum[h] += __shfl_xor_sync(ALL_LANES, sum[h], 1);
    sum[h] += __shfl_xor_sync(ALL_LANES, sum[h], 2);
    int r = row + g + 8 * h;
    if (t == 0 && r < rows) lse[(first_row + r) * a.heads + head] = top[h] + logf(sum[h]);
    // Through the warp's own rows of the queries' tile, to write 16 bytes at once.
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
      unsigned* pair = (unsigned*)(chunk_at<D>(q_tile, r, n) + 2 * t);
      *pair = pack_bf16(o[n][2 * h] / sum[h], o[n][2 * h + 1] / sum[h]);
    }
  }
  __syncwarp();
  for (int i = lane(); i < 16 * D / 8; i += WARP) {
    int r = row + i / (D / 8);
    int chunk = i % (D / 8);
    if (r < rows && chunk * 8 < a.size) {
      *(uint4*)(out + a.query_at(first_row + r, head) + chunk * 8) = *(const uint4*)chunk_at<D>(q_tile, r, chunk);
    }
  }
}

// ---- backward: P = exp(z - lse), dS = scale P (dout v^T - delta) slope ----

// Turns a tile of scores and one of dout v^T into P and dS; `visible` says which are seen.
template <class F>
__device__ __forceinline__ void score_gradient(float& score, float& gradient, const Attention& a, float log_sum,
                                               float delta, F visible) {
  float z = a.capped(a.scale * score);
  float p = visible() ? exp2f((z - log_sum) * LOG2_E) : 0;
  score = p;
  gradient = p == 0 ? 0 : a.scale * p * (gradient - delta) * a.slope(z);
}

// Adds rows g and g + 8 of a warp's 16 to what is there.
template <int D>
__device__ __forceinline__ void add_rows(bf16* to, int64_t stride, const float (&sums)[D / 8][4], int row, int rows,
                                         int size) {
  int g = lane() / 4;
  int t = lane() % 4;
#pragma unroll
  for (int n = 0; n < D / 8; n++) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      int r = row + g + 8 * h;
      if (r < rows && 8 * n < size) {
        Pack<bf16, 2>* pair = (Pack<bf16, 2>*)(to + r * stride + 8 * n + 2 * t);
        Pack<bf16, 2> old = *pair;
        *pair = {from_float<bf16>(to_float(old.v[0]) + sums[n][2 * h]),
                 from_float<bf16>(to_float(old.v[1]) + sums[n][2 * h + 1])};
      }
    }
  }
}

// dq += dS k, by tiles of queries; K keys at a time. blockIdx.y counts heads from first_head, as delta does.
template <int D, int K>
__device__ void backward_queries(bf16* dq, const bf16* dout, const float* lse, const float* delta, const bf16* q,
                                 const bf16* k, const bf16* v, const Attention& a, const int* segments,
                                 int segment_count, int first_head) {
  NIBBLE_DYNAMIC_SHARED(shared);
  bf16* q_tile = (bf16*)shared;
  bf16* d_tile = q_tile + ROWS * D;
  bf16* k_tiles = d_tile + ROWS * D;
  bf16* v_tiles = k_tiles + 2 * K * D;
  Tile tile = find_tile(a, segments, segment_count, gridDim.x - 1 - blockIdx.x, ROWS, false);
  if (tile.first < 0) return;
  int head = first_head + blockIdx.y;
  int key_head = head / (a.heads / a.key_heads);
  int rows = min(ROWS, tile.q_length - tile.first);
  int first_position = tile.first + tile.shift();
  int64_t first_row = tile.q_start + tile.first;
  int64_t query_stride = (int64_t)a.heads * a.size;
  int64_t key_stride = (int64_t)a.key_heads * a.size;
  const bf16* keys = k + a.key_at(tile.k_start, key_head);
  const bf16* values = v + a.key_at(tile.k_start, key_head);
  int begin = Seen(a, tile, first_position).from;
  int end = tile.keys_end(a, rows);

  copy_rows<ROWS, D>(q_tile, q + a.query_at(first_row, head), query_stride, a.size, rows);
  copy_rows<ROWS, D>(d_tile, dout + a.query_at(first_row, head), query_stride, a.size, rows);
  copy_rows<K, D>(k_tiles, keys + begin * key_stride, key_stride, a.size, end - begin);
  copy_rows<K, D>(v_tiles, values + begin * key_stride, key_stride, a.size, end - begin);
  copies_commit();

  int g = lane() / 4;
  int t = lane() % 4;
  int row = warp() * 16;
  Seen seen[2] = {Seen(a, tile, first_position + row + g), Seen(a, tile, first_position + row + g + 8)};
  float log_sum[2];
  float own_delta[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    int r = row + g + 8 * h;
    if (r >= rows) seen[h].to = seen[h].from;
    log_sum[h] = r < rows ? lse[(first_row + r) * a.heads + head] : 0;
    own_delta[h] = r < rows ? delta[(first_row + r) * gridDim.y + blockIdx.y] : 0;
  }
  float sums[D / 8][4];
  clear(sums);

  int stage = 0;
  for (int key = begin; key < end; key += K) {
    copies_wait<0>();
    __syncthreads();  // and the other stage is read no more
    bf16* k_tile = k_tiles + stage * K * D;
    bf16* v_tile = v_tiles + stage * K * D;
    stage ^= 1;
    int next = key + K;
    if (next < end) {
      copy_rows<K, D>(k_tiles + stage * K * D, keys + next * key_stride, key_stride, a.size, end - next);
      copy_rows<K, D>(v_tiles + stage * K * D, values + next * key_stride, key_stride, a.size, end - next);
    }
    copies_commit();
    float s[K / 8][4], dp[K / 8][4];
    clear(s);
    clear(dp);
#pragma unroll
    for (int kk = 0; kk < D / 16; kk++) {
      unsigned queries[4], gradients[4];
      left<D>(queries, q_tile, row, kk);
      left<D>(gradients, d_tile, row, kk);
#pragma unroll
      for (int n = 0; n < K / 16; n++) {
        multiply_rows<D>(s[2 * n], s[2 * n + 1], queries, k_tile, 16 * n, kk);
        multiply_rows<D>(dp[2 * n], dp[2 * n + 1], gradients, v_tile, 16 * n, kk);
      }
    }
#pragma unroll
    for (int n = 0; n < K / 8; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        score_gradient(s[n][i], dp[n][i], a, log_sum[i / 2], own_delta[i / 2],
                       [&] { return seen[i / 2].has(key + 8 * n + 2 * t + i % 2); });
      }
    }
#pragma unroll
    for (int kk = 0; kk < K / 16; kk++) {
      unsigned ds[4];
      as_left(ds, dp[2 * kk], dp[2 * kk + 1]);
      multiply_columns<D>(sums, ds, k_tile, 16 * kk);
    }
  }
  copies_wait<0>();
  add_rows<D>(dq + a.query_at(first_row, head), query_stride, sums, row, rows, a.size);
}

// dk += dS^T q and dv += P^T dout, by tiles of keys, Q queries at a time: over the query heads that share the keys, and
// their queries, in order. blockIdx.y counts key heads from that of first_head.
template <int D, int Q>
__device__ void backward_keys(bf16* dk, bf16* dv, const bf16* dout, const float* lse, const float* delta,
                              const bf16* q, const bf16* k, const bf16* v, const Attention& a, const int* segments,
                              int segment_count, int first_head) {
  NIBBLE_DYNAMIC_SHARED(shared);
  bf16* k_tile = (bf16*)shared;
  bf16* v_tile = k_tile + ROWS * D;
  bf16* q_tiles = v_tile + ROWS * D;
  bf16* d_tiles = q_tiles + 2 * Q * D;
  float* log_sums = (float*)(d_tiles + 2 * Q * D);
  float* deltas = log_sums + 2 * Q;
  Tile tile = find_tile(a, segments, segment_count, blockIdx.x, ROWS, true);
  if (tile.first < 0) return;
  int group = a.heads / a.key_heads;
  int key_head = first_head / group + blockIdx.y;
  int delta_heads = gridDim.y * group;
  int rows = min(ROWS, tile.k_length - tile.first);
  int64_t first_row = tile.k_start + tile.first;
  int64_t query_stride = (int64_t)a.heads * a.size;
  int64_t key_stride = (int64_t)a.key_heads * a.size;
  // The queries that see one of these keys, and how many tiles of them there are over all heads.
  int from = tile.queries_begin(a);
  int to = tile.queries_end(a, rows);
  int tiles = to > from ? (to - from + Q - 1) / Q : 0;
  int steps = tiles * group;

  auto begin_copies = [&](int step, int stage) {
    int head = key_head * group + step / tiles;
    int query = from + step % tiles * Q;
    int count = min(Q, to - query);
    int64_t query_row = tile.q_start + query;
    copy_rows<Q, D>(q_tiles + stage * Q * D, q + a.query_at(query_row, head), query_stride, a.size, count);
    copy_rows<Q, D>(d_tiles + stage * Q * D, dout + a.query_at(query_row, head), query_stride, a.size, count);
    int j = threadIdx.x;
    if (j < Q) {
      log_sums[stage * Q + j] = j < count ? lse[(query_row + j) * a.heads + head] : 0;
      deltas[stage * Q + j] = j < count ? delta[(query_row + j) * delta_heads + head - first_head] : 0;
    }
  };
  copy_rows<ROWS, D>(k_tile, k + a.key_at(first_row, key_head), key_stride, a.size, rows);
  copy_rows<ROWS, D>(v_tile, v + a.key_at(first_row, key_head), key_stride, a.size, rows);
  if (steps > 0) begin_copies(0, 0);
  copies_commit();

  int g = lane() / 4;
  int t = lane() % 4;
  int row = warp() * 16;
  float key_sums[D / 8][4], value_sums[D / 8][4];
  clear(key_sums);
  clear(value_sums);
  for (int step = 0; step < steps; step++) {
    int stage = step & 1;
    copies_wait<0>();
    __syncthreads();  // and the other stage is read no more
    if (step + 1 < steps) begin_copies(step + 1, stage ^ 1);
    copies_commit();
    bf16* q_tile = q_tiles + stage * Q * D;
    bf16* d_tile = d_tiles + stage * Q * D;
    float s[Q / 8][4], dp[Q / 8][4];
    clear(s);
    clear(dp);
#pragma unroll
    for (int kk = 0; kk < D / 16; kk++) {
      unsigned keys[4], values[4];
      left<D>(keys, k_tile, row, kk);
      left<D>(values, v_tile, row, kk);
#pragma unroll
      for (int n = 0; n < Q / 16; n++) {
        multiply_rows<D>(s[2 * n], s[2 * n + 1], keys, q_tile, 16 * n, kk);
        multiply_rows<D>(dp[2 * n], dp[2 * n + 1], values, d_tile, 16 * n, kk);
      }
    }
    int query = from + step % tiles * Q;
#pragma unroll
    for (int n = 0; n < Q / 8; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        int j = 8 * n + 2 * t + i % 2;
        int key = row + g + i / 2 * 8;
        score_gradient(s[n][i], dp[n][i], a, log_sums[stage * Q + j], deltas[stage * Q + j], [&] {
          return key < rows && query + j < to && Seen(a, tile, query + j + tile.shift()).has(tile.first + key);
        });
      }
    }
#pragma unroll
    for (int kk = 0; kk < Q / 16; kk++) {
      unsigned p[4], ds[4];
      as_left(p, s[2 * kk], s[2 * kk + 1]);
      as_left(ds, dp[2 * kk], dp[2 * kk + 1]);
      multiply_columns<D>(value_sums, p, d_tile, 16 * kk);
      multiply_columns<D>(key_sums, ds, q_tile, 16 * kk);
    }
  }
  copies_wait<0>();
  add_rows<D>(dk + a.key_at(first_row, key_head), key_stride, key_sums, row, rows, a.size);
  add_rows<D>(dv + a.key_at(first_row, key_head), key_stride, value_sums, row, rows, a.size);
}

// For heads of at most D elements; N keys or queries at a time in backward.
#define ATTENTION(D, N)                                                                                              \
  NIBBLE_KERNEL(THREADS, attention_tensor_forward_##D, bf16* out, float* lse, const bf16* q, const bf16* k,          \
                const bf16* v, ATTENTION_PARAMETERS) {                                                               \
    forward<D>(out, lse, q, k, v, ATTENTION_ARGUMENTS, segments, segment_count);                                     \
  }                                                                                                                  \
  NIBBLE_KERNEL(THREADS, attention_tensor_backward_queries_##D, bf16* dq, const bf16* dout, const float* lse,        \
                const float* delta, const bf16* q, const bf16* k, const bf16* v, ATTENTION_PARAMETERS,               \
                int first_head) {                                                                                    \
    backward_queries<D, N>(dq, dout, lse, delta, q, k, v, ATTENTION_ARGUMENTS, segments, segment_count, first_head); \
  }                                                                                                                  \
  NIBBLE_KERNEL(THREADS, attention_tensor_backward_keys_##D, bf16* dk, bf16* dv, const bf16* dout, const float* lse, \
                const float* delta, const bf16* q, const bf16* k, const bf16* v, ATTENTION_PARAMETERS,               \
                int first_head) {                                                                                    \
    backward_keys<D, N>(dk, dv, dout, lse, delta, q, k, v, ATTENTION_ARGUMENTS, segments, segment_count,             \
                        first_head);                                                                                 \
  }
ATTENTION(64, 64)
ATTENTION(128, 32)
