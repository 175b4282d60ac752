// Kernels for tests of launches: good ones, and one that does wrong. Their PTX is in the test resources.
#include "nibble.cuh"

NIBBLE_KERNEL(256, probe_add_f32, float* out, const float* a, int64_t n, int times, float scale, double shift) {
  for (int64_t i = global_thread(); i < n; i += global_threads())
    out[i] = (a == nullptr ? 0 : a[i] * (float)times * scale) + (float)shift;
}

// Writes the element behind the last.
NIBBLE_KERNEL(256, probe_overrun, float* out, int64_t n) {
  if (global_thread() == 0) out[n + 4] = 1;
}

// out[block] = number of the block, through dynamic shared memory.
NIBBLE_KERNEL(256, probe_shared, float* out, int floats) {
  NIBBLE_DYNAMIC_SHARED(memory);
  float* values = reinterpret_cast<float*>(memory);
  for (int i = threadIdx.x; i < floats; i += blockDim.x) values[i] = (float)(blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z));
  __syncthreads();
  if (threadIdx.x == 0) out[(int)values[floats - 1]] = values[floats - 1];
}
