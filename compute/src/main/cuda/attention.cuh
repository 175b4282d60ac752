// What kernels of attention share: which rows a block works on, and what a query sees.
#pragma once

#include "nibble.cuh"

// What a call is about. Rows of q are [heads, size], those of k and v [key_heads, size].
struct Attention {
  int heads;
  int key_heads;
  int size;
  int64_t queries;
  int64_t keys;
  float scale;
  int window;      // 0 for none; negative: a query sees later keys too, all of its segment
  float soft_cap;  // 0 for none

  // Element 0 of a head of a row.
  __device__ __forceinline__ int64_t query_at(int64_t row, int head) const { return (row * heads + head) * size; }
  __device__ __forceinline__ int64_t key_at(int64_t row, int head) const { return (row * key_heads + head) * size; }

  __device__ __forceinline__ bool is_causal() const { return window >= 0; }

  // cap(score), of a score that was scaled.
  __device__ __forceinline__ float capped(float z) const {
    return soft_cap == 0 ? z : soft_cap * tanhf(z / soft_cap);
  }
  // The derivative of cap, from what cap gave.
  __device__ __forceinline__ float slope(float z) const {
    if (soft_cap == 0) return 1;
    float t = z / soft_cap;
    return 1 - t * t;
  }
};

// What launches pass of it.
#define ATTENTION_PARAMETERS                                                                                  \
  const int *segments, int segment_count, int heads, int key_heads, int size, int64_t queries, int64_t keys, \
      float scale, int window, float soft_cap
#define ATTENTION_ARGUMENTS \
  Attention { heads, key_heads, size, queries, keys, scale, window, soft_cap }

// A segment, and where in its queries (or keys) a block begins.
struct Tile {
  int q_start, q_length, k_start, k_length;
  int first;  // counted from the segment's start; -1 when there is nothing for this block

  // How many more keys a segment has than queries: query i has position i + shift among the keys.
  __device__ __forceinline__ int shift() const { return k_length - q_length; }
  // The key behind the last that one of the tile's first `rows` queries sees.
  __device__ __forceinline__ int keys_end(const Attention& a, int rows) const {
    return a.is_causal() ? first + rows + shift() : k_length;
  }
  // The first query that sees one of the tile's keys, and that behind the last that sees one of the first `rows`.
  __device__ __forceinline__ int queries_begin(const Attention& a) const {
    return a.is_causal() ? max(0, first - shift()) : 0;
  }
  __device__ __forceinline__ int queries_end(const Attention& a, int rows) const {
    return a.window <= 0 ? q_length : min(q_length, first + rows - 1 + a.window - shift());
  }
};

// Tile number `slot` when each segment's queries (or keys) are cut into tiles of `rows`: a launch does not know the
// lengths of its segments, only that there are at most rows of all / rows + segments tiles. Segments that do not lie
// in q and k have none. All lanes of a warp together.
__device__ __forceinline__ Tile find_tile(const Attention& a, const int* segments, int count, int64_t slot, int rows,
                                          bool of_keys) {
  for (int base = 0; base < count; base += WARP) {
    int i = base + lane();
    int s[4] = {0, 0, 0, 0};
    if (i < count) {
      for (int k = 0; k < 4; k++) s[k] = segments[4 * (int64_t)i + k];
    }
    bool inside = s[0] >= 0 && s[1] >= 0 && s[2] >= 0 && s[3] >= s[1] && (int64_t)s[0] + s[1] <= a.queries &&
                  (int64_t)s[2] + s[3] <= a.keys;
    int tiles = inside ? ((of_keys ? s[3] : s[1]) + rows - 1) / rows : 0;
    int before_next = tiles;
    for (int d = 1; d < WARP; d *= 2) {
      int left = __shfl_up_sync(ALL_LANES, before_next, d);
      if (lane() >= d) before_next += left;
    }
    unsigned found = __ballot_sync(ALL_LANES, slot < before_next);
    int in_all = __shfl_sync(ALL_LANES, before_next, WARP - 1);
    if (found != 0) {
      int from = __ffs((int)found) - 1;
      Tile t;
      t.q_start = __shfl_sync(ALL_LANES, s[0], from);
      t.q_length = __shfl_sync(ALL_LANES, s[1], from);
      t.k_start = __shfl_sync(ALL_LANES, s[2], from);
      t.k_length = __shfl_sync(ALL_LANES, s[3], from);
      t.first = ((int)slot - __shfl_sync(ALL_LANES, before_next - tiles, from)) * rows;
      return t;
    }
    slot -= in_all;
  }
  return {0, 0, 0, 0, -1};
}

// The keys that the query of a position sees, in the segment of a tile.
struct Seen {
  int from, to;

  __device__ __forceinline__ Seen(const Attention& a, const Tile& tile, int position)
      : from(a.window <= 0 ? 0 : max(0, position - a.window + 1)),
        to(a.is_causal() ? position + 1 : tile.k_length) {}

  __device__ __forceinline__ bool has(int key) const { return key >= from && key < to; }
};
