package dev.nibble.quant;

import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The factor R of H = R R^T, R upper triangular with a positive diagonal, in float64: the Cholesky
 * factorisation from the last row to the first. Row j of the working memory is column j of R, so
 * that all loops run over neighbouring elements, which the compiler makes vectors of.
 *
 * <p>Blocks of columns, from the last: their own square, then the rows above it, then what they
 * take from the columns before them, which is nearly all work and runs on all threads. n^3 / 3
 * operations.
 */
final class ReverseCholesky {
  private static final int BLOCK = 128;

  /** Columns that are updated together; divides a block. Rows are as long as their tile is. */
  static final int TILE = 32;

  /** Elements at a time: four columns' share of them stays in a core's first-level cache. */
  private static final int CHUNK = 256;

  private final double[][] a;

  private ReverseCholesky(double[][] a) {
    this.a = a;
  }

  /** Room for the elements of row j of the lower half that {@link #factor} takes. */
  static double[] row(int j, int n) {
    return new double[Math.min(n, (j / TILE + 1) * TILE)];
  }

  /**
   * Factors in place.
   *
   * @param a the lower half of H; becomes R^T
   * @return the first column, from the last, whose pivot is not positive; empty when H is positive
   *     definite
   */
  static OptionalInt factor(double[][] a) {
    ReverseCholesky work = new ReverseCholesky(a);
    for (int end = a.length; end > 0; ) {
      int start = (end - 1) / BLOCK * BLOCK;
      int bad = work.square(start, end);
      if (bad >= 0) {
        return OptionalInt.of(bad);
      }
      work.above(start, end);
      work.take(start, end);
      end = start;
    }
    return OptionalInt.empty();
  }

  /** The factor of a block's own square; a pivot that is not positive, or -1. */
  private int square(int start, int end) {
    for (int j = end - 1; j >= start; j--) {
      reduce(j, end, start, j + 1);
      double pivot = a[j][j];
      if (!(pivot > 0)) {
        return j;
      }
      double root = Math.sqrt(pivot);
      a[j][j] = root;
      scale(a[j], 1 / root, start, j);
    }
    return -1;
  }

  /** The block's columns in the rows above its square. */
  private void above(int start, int end) {
    IntStream.range(0, Math.ceilDiv(start, CHUNK))
        .parallel()
        .forEach(chunk -> {
          int from = chunk * CHUNK;
          int to = Math.min(start, from + CHUNK);
          for (int j = end - 1; j >= start; j--) {
            reduce(j, end, from, to);
            scale(a[j], 1 / a[j][j], from, to);
          }
        });
  }

  /** Takes from elements of column j what the block's later columns account for. */
  private void reduce(int j, int end, int from, int to) {
    for (int later = j + 1; later < end; later++) {
      add(a[j], -a[later][j], a[later], from, to);
    }
  }

  private static void scale(double[] x, double factor, int from, int to) {
    for (int i = from; i < to; i++) {
      x[i] *= factor;
    }
  }

  private static void add(double[] x, double factor, double[] y, int from, int to) {
    for (int i = from; i < to; i++) {
      x[i] = Math.fma(factor, y[i], x[i]);
    }
  }

  /** Takes from all columns before the block what it accounts for. */
  private void take(int start, int end) {
    int tiles = start / TILE;
    IntStream.range(0, tiles)
        .parallel()
        // Short and long rows by turns, as threads take neighbours.
        .map(t -> t % 2 == 0 ? t / 2 : tiles - 1 - t / 2)
        .forEach(tile -> {
          int first = tile * TILE;
          for (int from = 0; from < first + TILE; from += CHUNK) {
            int to = Math.min(first + TILE, from + CHUNK);
            take(first, start, end, from, to);
          }
        });
  }

  /** Of some elements of a tile's columns, which take turns with four of the block's. */
  private void take(int first, int start, int end, int from, int to) {
    int j = start;
    for (; j + 4 <= end; j += 4) {
      for (int i = first; i < first + TILE; i++) {
        takeFour(a[i], i, a[j], a[j + 1], a[j + 2], a[j + 3], from, to);
      }
    }
    for (; j < end; j++) {
      for (int i = first; i < first + TILE; i++) {
        add(a[i], -a[j][i], a[j], from, to);
      }
    }
  }

  /**
   * Of four columns at once, so that x is loaded and stored a quarter as often; eight are half as
   * fast, as addresses of so many arrays do not fit in registers.
   */
  private static void takeFour(
      double[] x, int i, double[] p, double[] q, double[] r, double[] s, int from, int to) {
    double fp = -p[i];
    double fq = -q[i];
    double fr = -r[i];
    double fs = -s[i];
    for (int k = from; k < to; k++) {
      x[k] = Math.fma(fp, p[k], Math.fma(fq, q[k], Math.fma(fr, r[k], Math.fma(fs, s[k], x[k]))));
    }
  }
}
