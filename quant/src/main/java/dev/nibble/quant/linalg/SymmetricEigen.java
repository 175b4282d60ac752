package dev.nibble.quant.linalg;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/** Eigenvalues and eigenvectors of a small symmetric matrix, the largest values first. */
public final class SymmetricEigen {
  /** Smaller parts of the largest value are taken for 0. */
  private static final double LEAST = 1e-10;

  private final double[] values;
  private final double[][] vectors;

  private SymmetricEigen(double[] values, double[][] vectors) {
    this.values = values;
    this.vectors = vectors;
  }

  /**
   * Decomposes a matrix.
   *
   * @param m [n, n] by rows
   */
  public static SymmetricEigen of(float[] m, int n) {
    DMatrixRMaj a = new DMatrixRMaj(n, n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        a.unsafe_set(i, j, (m[i * n + j] + (double) m[j * n + i]) / 2);
      }
    }
    EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(n, true, true);
    if (!eigen.decompose(a)) {
      throw new IllegalStateException("the eigenvalues of %d by %d were not found".formatted(n, n));
    }
    int[] order =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -eigen.getEigenvalue(i).getReal()))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] values = new double[n];
    double[][] vectors = new double[n][];
    for (int i = 0; i < n; i++) {
      values[i] = eigen.getEigenvalue(order[i]).getReal();
      vectors[i] = eigen.getEigenVector(order[i]).data;
    }
    return new SymmetricEigen(values, vectors);
  }

  /** The first {@code k} vectors, by rows. */
  public float[] vectors(int k) {
    int n = values.length;
    float[] all = new float[k * n];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < n; j++) {
        all[i * n + j] = (float) vectors[i][j];
      }
    }
    return all;
  }

  /** The inverse, of what is not next to 0: of a matrix that is positive semidefinite. */
  public float[] inverse() {
    int n = values.length;
    double[] inverse = new double[n * n];
    for (int k = 0; k < n && values[k] > LEAST * values[0]; k++) {
      for (int i = 0; i < n; i++) {
        double factor = vectors[k][i] / values[k];
        for (int j = 0; j < n; j++) {
          inverse[i * n + j] += factor * vectors[k][j];
        }
      }
    }
    float[] all = new float[n * n];
    for (int i = 0; i < all.length; i++) {
      all[i] = (float) inverse[i];
    }
    return all;
  }
}
