package dev.nibble.quant.linalg;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/** The r largest singular values and vectors of a small matrix U S V^T. */
final class Largest {
  private final float[] left;
  private final float[] right;
  private final double captured;

  private Largest(float[] left, float[] right, double captured) {
    this.left = left;
    this.right = right;
    this.captured = captured;
  }

  /** U sqrt(S) [m, r]. */
  float[] left() {
    return left;
  }

  /** sqrt(S) V^T [r, n]. */
  float[] right() {
    return right;
  }

  /** The sum of the squares of the r values. */
  double captured() {
    return captured;
  }

  /** Decomposes {@code m} [m, n]. */
  static Largest of(DMatrixRMaj m, int rank) {
    SingularValueDecomposition_F64<DMatrixRMaj> svd =
        DecompositionFactory_DDRM.svd(m.numRows, m.numCols, true, true, true);
    if (!svd.decompose(m)) {
      throw new IllegalStateException(
          "the singular value decomposition of %d by %d failed".formatted(m.numRows, m.numCols));
    }
    double[] values = svd.getSingularValues();
    int[] order =
        IntStream.range(0, svd.numberOfSingularValues())
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    DMatrixRMaj u = svd.getU(null, false);
    DMatrixRMaj vt = svd.getV(null, true);
    float[] left = new float[m.numRows * rank];
    float[] right = new float[rank * m.numCols];
    double captured = 0;
    for (int r = 0; r < rank; r++) {
      double value = values[order[r]];
      captured += value * value;
      for (int i = 0; i < m.numRows; i++) {
        left[i * rank + r] = (float) (u.get(i, order[r]) * Math.sqrt(value));
      }
      for (int j = 0; j < m.numCols; j++) {
        right[r * m.numCols + j] = (float) (vt.get(order[r], j) * Math.sqrt(value));
      }
    }
    return new Largest(left, right, captured);
  }
}
