package dev.nibble.quant;

import java.util.Arrays;

/** What the errors of the columns before a block move the block by, see {@link HessianFactor}. */
public final class Feedback {
  /** Columns of errors at a time, whose part of the rows stays in a core's first-level cache. */
  private static final int TOGETHER = 32;

  private final float[][] factors;

  /** {@code factors} [columns of the block, columns before it]: the transpose of R_<B,B R_BB^-1. */
  Feedback(float[][] factors) {
    this.factors = factors;
  }

  /**
   * What moves some columns to where they are best beside all others as these are: H_:k H_kk^-1.
   *
   * @param moments H [I, I], by rows
   * @param from of the columns k
   */
  public static Feedback best(float[] moments, int inputs, int from, int columns) {
    double[][] inverse = inverse(moments, inputs, from, columns);
    float[][] factors = new float[columns][inputs];
    for (int j = 0; j < columns; j++) {
      for (int column = 0; column < inputs; column++) {
        double sum = 0;
        for (int i = 0; i < columns; i++) {
          // H is symmetric: row from + i has the elements of that column.
          sum += moments[(from + i) * inputs + column] * inverse[i][j];
        }
        factors[j][column] = (float) sum;
      }
    }
    return new Feedback(factors);
  }

  /** Of the square from H_from,from on, which is positive definite, by Gauss and Jordan. */
  private static double[][] inverse(float[] moments, int inputs, int from, int n) {
    double[][] a = new double[n][2 * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        a[i][j] = moments[(from + i) * inputs + from + j];
      }
      a[i][n + i] = 1;
    }
    for (int i = 0; i < n; i++) {
      double pivot = a[i][i];
      for (int j = 0; j < 2 * n; j++) {
        a[i][j] /= pivot;
      }
      for (int r = 0; r < n; r++) {
        double factor = a[r][i];
        for (int j = 0; r != i && j < 2 * n; j++) {
          a[r][j] -= factor * a[i][j];
        }
      }
    }
    double[][] inverse = new double[n][];
    for (int i = 0; i < n; i++) {
      inverse[i] = Arrays.copyOfRange(a[i], n, 2 * n);
    }
    return inverse;
  }

  /** The factor of an earlier column's error for column j of the block. */
  float factor(int j, int column) {
    return factors[j][column];
  }

  /**
   * block[j][r] += sum over columns k of errors[k][r] * factors[j][k], for all rows r.
   *
   * @param errors original less rounded, [columns, rows]; about a hundred rows stay in the caches
   * @param block [columns of the block, rows]
   */
  public void add(float[][] errors, float[][] block) {
    int before = factors.length == 0 ? 0 : factors[0].length;
    for (int from = 0; from < before; from += TOGETHER) {
      int to = Math.min(before, from + TOGETHER);
      for (int j = 0; j < block.length; j++) {
        int k = from;
        for (; k + 8 <= to; k += 8) {
          eight(block[j], factors[j], k, errors);
        }
        for (; k < to; k++) {
          one(block[j], factors[j][k], errors[k]);
        }
      }
    }
  }

  private static void one(float[] x, float factor, float[] error) {
    for (int r = 0; r < x.length; r++) {
      x[r] = Math.fma(factor, error[r], x[r]);
    }
  }

  /**
   * Eight columns at once, so that x is loaded and stored an eighth as often. The compiler makes
   * vectors of a loop with one array to store to and one index for all.
   */
  private static void eight(float[] x, float[] factors, int k, float[][] errors) {
    float a = factors[k];
    float b = factors[k + 1];
    float c = factors[k + 2];
    float d = factors[k + 3];
    float e = factors[k + 4];
    float f = factors[k + 5];
    float g = factors[k + 6];
    float h = factors[k + 7];
    float[] p = errors[k];
    float[] q = errors[k + 1];
    float[] s = errors[k + 2];
    float[] t = errors[k + 3];
    float[] u = errors[k + 4];
    float[] v = errors[k + 5];
    float[] w = errors[k + 6];
    float[] y = errors[k + 7];
    for (int r = 0; r < x.length; r++) {
      float sum = Math.fma(a, p[r], Math.fma(b, q[r], Math.fma(c, s[r], Math.fma(d, t[r], x[r]))));
      x[r] = Math.fma(e, u[r], Math.fma(f, v[r], Math.fma(g, w[r], Math.fma(h, y[r], sum))));
    }
  }
}
