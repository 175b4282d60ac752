// Weights that are held apart from the rest of their matrix, in compressed sparse rows.
#include "nibble.cuh"

constexpr int THREADS = 256;

// Puts the outliers of rows row and on, columns col and on, into a tile [rows, width] of them: a warp for each row.
template <class T, class V>
__device__ void overlay(T* tile, const int32_t* starts, const uint16_t* columns, const V* values, int64_t row,
                        int64_t col, int64_t rows, int64_t width) {
  for (int64_t r = global_thread() / WARP; r < rows; r += global_threads() / WARP) {
    for (int e = starts[row + r] + lane(); e < starts[row + r + 1]; e += WARP) {
      int64_t c = columns[e] - col;
      if (c >= 0 && c < width) tile[r * width + c] = from_float<T>(to_float(values[e]));
    }
  }
}

#define OVERLAY(name, T, V)                                                                                 \
  NIBBLE_KERNEL(THREADS, name, T* tile, const int32_t* starts, const uint16_t* columns, const V* values,    \
                int64_t row, int64_t col, int64_t rows, int64_t width) {                                    \
    overlay(tile, starts, columns, values, row, col, rows, width);                                          \
  }
OVERLAY(overlay_outliers_f16_f32, float, f16)
OVERLAY(overlay_outliers_f16_bf16, bf16, f16)
OVERLAY(overlay_outliers_f16_f16, f16, f16)
OVERLAY(overlay_outliers_bf16_f32, float, bf16)
OVERLAY(overlay_outliers_bf16_bf16, bf16, bf16)
OVERLAY(overlay_outliers_bf16_f16, f16, bf16)
