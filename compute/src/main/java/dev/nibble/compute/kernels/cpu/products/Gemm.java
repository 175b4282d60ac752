package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.onednn.OneDnn;
import dev.nibble.compute.kernels.cpu.work.Workers;

/**
 * Float32 matrix products C = alpha op(A) op(B) + beta C over addresses; see {@link OneDnn#sgemm}.
 */
public final class Gemm {
  /** Products that are not worth a second thread. */
  private static final double SMALL = 1 << 16;

  private final OneDnn onednn;
  private final Workers workers;

  /** Products of oneDNN, split among these workers. */
  public Gemm(OneDnn onednn, Workers workers) {
    this.onednn = onednn;
    this.workers = workers;
  }

  /** On the calling thread. */
  public void onThisThread(
      boolean transA,
      boolean transB,
      long m,
      long n,
      long k,
      float alpha,
      long a,
      long lda,
      long b,
      long ldb,
      float beta,
      long c,
      long ldc) {
    if (m > 0 && n > 0) {
      onednn.sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }
  }

  /** On all workers, split along the longer side of C. */
  void onAllThreads(
      boolean transA,
      boolean transB,
      long m,
      long n,
      long k,
      float alpha,
      long a,
      long lda,
      long b,
      long ldb,
      float beta,
      long c,
      long ldc) {
    if ((double) m * n * k < SMALL) {
      onThisThread(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    } else if (m >= n) {
      workers.split(
          m,
          1,
          (worker, from, to) ->
              onThisThread(
                  transA,
                  transB,
                  to - from,
                  n,
                  k,
                  alpha,
                  a + 4 * from * (transA ? 1 : lda),
                  lda,
                  b,
                  ldb,
                  beta,
                  c + 4 * from * ldc,
                  ldc));
    } else {
      workers.split(
          n,
          1,
          (worker, from, to) ->
              onThisThread(
                  transA,
                  transB,
                  m,
                  to - from,
                  k,
                  alpha,
                  a,
                  lda,
                  b + 4 * from * (transB ? ldb : 1),
                  ldb,
                  beta,
                  c + 4 * from,
                  ldc));
    }
  }
}
