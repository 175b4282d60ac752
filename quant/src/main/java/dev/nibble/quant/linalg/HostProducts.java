package dev.nibble.quant.linalg;

import java.util.stream.IntStream;

/** Products of matrices on the heap, in float32, on all threads. */
public final class HostProducts {
  /** Rows that share what is read of the right factor. */
  private static final int ROWS = 8;

  /** Columns whose sums, of all these rows, stay in a core's first-level cache. */
  private static final int COLUMNS = 512;

  private HostProducts() {}

  /**
   * a b.
   *
   * @param a [n, m] by rows
   * @param m how many rows b has
   * @param b [m, p] by rows
   */
  public static float[] times(float[] a, int m, float[] b) {
    int n = a.length / m;
    int p = b.length / m;
    float[] out = new float[n * p];
    int down = Math.ceilDiv(n, ROWS);
    int across = Math.ceilDiv(p, COLUMNS);
    IntStream.range(0, down * across)
        .parallel()
        .forEach(block -> {
          int row = block / across * ROWS;
          int col = block % across * COLUMNS;
          add(out, a, b, m, row, Math.min(n, row + ROWS), col, Math.min(p, col + COLUMNS));
        });
    return out;
  }

  private static void add(
      float[] out, float[] a, float[] b, int m, int row, int rows, int col, int cols) {
    int p = b.length / m;
    for (int k = 0; k < m; k++) {
      for (int r = row; r < rows; r++) {
        axpy(out, r * p + col, a[r * m + k], b, k * p + col, cols - col);
      }
    }
  }

  private static void axpy(float[] y, int at, float factor, float[] x, int from, int n) {
    for (int i = 0; i < n; i++) {
      y[at + i] = Math.fma(factor, x[from + i], y[at + i]);
    }
  }

  /** The transpose of a matrix of {@code rows} rows. */
  public static float[] transposed(float[] m, int rows) {
    int cols = m.length / rows;
    float[] t = new float[m.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        t[j * rows + i] = m[i * cols + j];
      }
    }
    return t;
  }

  /** The sum of the products of elements, in float64. */
  public static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  /** a - b. */
  public static float[] minus(float[] a, float[] b) {
    float[] out = new float[a.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = a[i] - b[i];
    }
    return out;
  }
}
