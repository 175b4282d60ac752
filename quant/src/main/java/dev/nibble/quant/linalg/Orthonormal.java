package dev.nibble.quant.linalg;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.QRDecomposition;

/** Orthonormal bases, by Householder's QR decomposition. */
public final class Orthonormal {
  private Orthonormal() {}

  /**
   * The Q of V^T = Q R, as rows.
   *
   * @param vectors V, k rows of n values, k &lt;= n
   * @return Q^T, k orthonormal rows of n values
   */
  public static float[] rows(float[] vectors, int k) {
    int n = vectors.length / k;
    DMatrixRMaj columns = new DMatrixRMaj(n, k);
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < n; j++) {
        columns.unsafe_set(j, i, vectors[i * n + j]);
      }
    }
    QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(n, k);
    if (!qr.decompose(columns)) {
      throw new IllegalStateException("the QR decomposition of %d by %d failed".formatted(n, k));
    }
    DMatrixRMaj q = qr.getQ(null, true);
    float[] rows = new float[vectors.length];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < n; j++) {
        rows[i * n + j] = (float) q.unsafe_get(j, i);
      }
    }
    return rows;
  }
}
