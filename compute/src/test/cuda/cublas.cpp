// The functions of cuBLAS that Nibble calls, in plain loops. They refuse what the real ones refuse, and what would make
// these inexact: TF32, or partial sums in 16 bits. Work goes to the stream, as late as all work of the emulator.
#include <string.h>

#include "emulator.h"
#include "memory.h"
#include "streams.h"

using namespace emulator;

namespace {

enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum Type { F32 = 0, BF16 = 14 };
enum Compute { COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69 };
constexpr int EXECUTION_FAILED = 719;  // of the driver

struct Handle {
  Stream* stream = nullptr;
  uint64_t workspace = 0;
  size_t workspace_bytes = 0;
  int math_mode = 0;
  int atomics = 0;
};

// Column-major, as it is stored.
struct Matrix {
  uint64_t data;
  int type;
  int rows, cols;
  int64_t stride;

  size_t size() const { return type == F32 ? 4 : 2; }

  bool is_there() const {
    size_t bytes = rows == 0 || cols == 0 ? 0 : ((cols - 1) * stride + rows) * size();
    return bytes == 0 || is_allocated(data, bytes);
  }

  float get(int64_t row, int64_t col) const {
    int64_t i = col * stride + row;
    if (type == F32) return ((const float*)data)[i];
    return float_of((unsigned)((const uint16_t*)data)[i] << 16);
  }

  void set(int64_t row, int64_t col, float x) const {
    int64_t i = col * stride + row;
    if (type == F32) {
      ((float*)data)[i] = x;
    } else {
      ((uint16_t*)data)[i] = to_bfloat(x);
    }
  }
};

void multiply(const Handle& handle, bool trans_a, bool trans_b, int k, float alpha, const Matrix& a, const Matrix& b,
              float beta, const Matrix& c) {
  bool there = a.is_there() && b.is_there() && c.is_there() && is_allocated(handle.workspace, handle.workspace_bytes);
  if (!there) {
    poison(handle.stream->context, EXECUTION_FAILED, "cublasGemmEx: an operand or the workspace is not allocated");
    return;
  }
  memset((void*)handle.workspace, 0xff, handle.workspace_bytes < 4096 ? handle.workspace_bytes : 4096);
  for (int j = 0; j < c.cols; j++) {
    for (int i = 0; i < c.rows; i++) {
      float sum = 0;
      for (int l = 0; l < k; l++) sum += (trans_a ? a.get(l, i) : a.get(i, l)) * (trans_b ? b.get(j, l) : b.get(l, j));
      c.set(i, j, alpha * sum + (beta == 0 ? 0 : beta * c.get(i, j)));
    }
  }
}

}  // namespace

#define API extern "C" __attribute__((visibility("default"))) int

API cublasCreate_v2(Handle** handle) {
  *handle = new Handle();
  return SUCCESS;
}

API cublasDestroy_v2(Handle* handle) {
  if (handle == nullptr) return NOT_INITIALIZED;
  if (handle->stream != nullptr) drain(handle->stream, handle->stream->queued);
  delete handle;
  return SUCCESS;
}

API cublasGetVersion_v2(Handle* handle, int* version) {
  if (handle == nullptr) return NOT_INITIALIZED;
  *version = 120405;
  return SUCCESS;
}

API cublasSetStream_v2(Handle* handle, Stream* stream) {
  if (handle == nullptr) return NOT_INITIALIZED;
  handle->stream = stream;
  handle->workspace_bytes = 0;
  return SUCCESS;
}

API cublasSetWorkspace_v2(Handle* handle, uint64_t workspace, size_t bytes) {
  if (handle == nullptr) return NOT_INITIALIZED;
  handle->workspace = workspace;
  handle->workspace_bytes = bytes;
  return SUCCESS;
}

API cublasSetMathMode(Handle* handle, int mode) {
  if (handle == nullptr) return NOT_INITIALIZED;
  handle->math_mode = mode;
  return SUCCESS;
}

API cublasSetAtomicsMode(Handle* handle, int mode) {
  if (handle == nullptr) return NOT_INITIALIZED;
  handle->atomics = mode;
  return SUCCESS;
}

API cublasGemmEx(Handle* handle, int trans_a, int trans_b, int m, int n, int k, const float* alpha, uint64_t a,
                 int type_a, int lda, uint64_t b, int type_b, int ldb, const float* beta, uint64_t c, int type_c,
                 int ldc, int compute, int algorithm) {
  if (handle == nullptr || handle->stream == nullptr) return NOT_INITIALIZED;
  Matrix of_a = {a, type_a, trans_a ? k : m, trans_a ? m : k, lda};
  Matrix of_b = {b, type_b, trans_b ? n : k, trans_b ? k : n, ldb};
  Matrix of_c = {c, type_c, m, n, ldc};
  bool valid = m >= 0 && n >= 0 && k >= 0 && trans_a >= 0 && trans_a <= 1 && trans_b >= 0 && trans_b <= 1;
  for (const Matrix& x : {of_a, of_b, of_c}) valid = valid && x.stride >= (x.rows > 1 ? x.rows : 1);
  if (!valid || algorithm != -1 || handle->workspace_bytes == 0) return INVALID_VALUE;
  bool f32 = type_a == F32 && type_b == F32 && type_c == F32 && compute == COMPUTE_32F_PEDANTIC;
  bool bf16 = type_a == BF16 && type_b == BF16 && (type_c == BF16 || type_c == F32) && compute == COMPUTE_32F;
  // 16: no partial sums in less than float32.
  if (!(f32 || bf16) || handle->math_mode != 16 || handle->atomics != 0) return NOT_SUPPORTED;
  Handle now = *handle;
  float alpha_now = *alpha, beta_now = *beta;
  enqueue(handle->stream, [=] { multiply(now, trans_a, trans_b, k, alpha_now, of_a, of_b, beta_now, of_c); });
  return SUCCESS;
}
