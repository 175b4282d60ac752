package dev.nibble.quant.quip;

import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.quant.Feedback;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.RoundingBlock;
import dev.nibble.quant.linalg.HostProducts;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Rounding of a matrix [O, I] to points of {@link E8Lattice}, eight columns at a time: LDLQ (QuIP,
 * arXiv:2307.13304), in which the later columns make up for the errors of earlier ones, and then
 * passes over all blocks of eight, each of which is rounded again to what is best for it beside the
 * others as they are,
 *
 * <pre>{@code What_k + (W - What) H_:k H_kk^-1}</pre>
 */
final class LatticeRounding {
  private static final int BLOCK = 128;

  /** Rows that a thread takes together. */
  private static final int ROWS = 64;

  private static final int EIGHT = E8Lattice.EIGHT;

  private final Lattice out;
  private final int rows;
  private final int cols;

  /** A rounding into a matrix on the host. */
  LatticeRounding(Lattice out) {
    this.out = out;
    rows = Math.toIntExact(out.rows());
    cols = Math.toIntExact(out.cols());
  }

  /**
   * Sets scales and codes.
   *
   * @param w by rows
   * @param factor of the moments, in the natural order
   * @param moments [I, I] as the factor has them, by rows
   * @param passes over all blocks after the first rounding
   */
  void solve(float[] w, HessianFactor factor, float[] moments, int passes) {
    out.putScale(Math.sqrt(HostProducts.dot(w, w) / w.length));
    List<Rows> parts =
        IntStream.range(0, Math.ceilDiv(rows, ROWS))
            .parallel()
            .mapToObj(part -> new Rows(w, part * ROWS))
            .toList();
    for (int from = 0; from < cols; from += BLOCK) {
      RoundingBlock block = new RoundingBlock(factor, from, Math.min(cols, from + BLOCK));
      parts.parallelStream().forEach(part -> part.round(block));
    }
    for (int pass = 0; pass < passes; pass++) {
      for (int from = 0; from < cols; from += EIGHT) {
        Feedback feedback = Feedback.best(moments, cols, from, EIGHT);
        int first = from;
        parts.parallelStream().forEach(part -> part.again(first, feedback));
      }
    }
  }

  /** Some rows by columns: weights, and errors, original less rounded, where these are rounded. */
  private final class Rows {
    private final int first;
    private final int n;
    private final float[][] w;

    Rows(float[] all, int first) {
      this.first = first;
      n = Math.min(ROWS, rows - first);
      w = new float[cols][n];
      for (int r = 0; r < n; r++) {
        for (int c = 0; c < cols; c++) {
          w[c][r] = all[(first + r) * cols + c];
        }
      }
    }

    void round(RoundingBlock block) {
      float[][] now = block.begin(w);
      float[] error = new float[n];
      for (int from = 0; from < now.length; from += EIGHT) {
        float[][] values = new float[EIGHT][];
        for (int i = 0; i < EIGHT; i++) {
          values[i] = now[from + i].clone();
        }
        put(block.position(from), values);
        for (int i = 0; i < EIGHT; i++) {
          float[] original = w[block.position(from + i)];
          for (int r = 0; r < n; r++) {
            error[r] = now[from + i][r] - values[i][r];
            original[r] -= values[i][r];
          }
          block.move(now, from + i, error);
        }
      }
    }

    /** Rounds the eight columns from {@code from} on again, beside the others. */
    void again(int from, Feedback feedback) {
      float[][] values = new float[EIGHT][n];
      float[] eight = new float[EIGHT];
      for (int r = 0; r < n; r++) {
        out.value(element(r, from), eight);
        for (int i = 0; i < EIGHT; i++) {
          values[i][r] = eight[i];
        }
      }
      for (int i = 0; i < EIGHT; i++) {
        add(w[from + i], values[i], 1);
      }
      // The block itself is to count with its errors as they were.
      float[][] errors = w.clone();
      for (int i = 0; i < EIGHT; i++) {
        errors[from + i] = w[from + i].clone();
        add(errors[from + i], values[i], -1);
      }
      feedback.add(errors, values);
      put(from, values);
      for (int i = 0; i < EIGHT; i++) {
        add(w[from + i], values[i], -1);
      }
    }

    private long element(int row, int column) {
      return ((long) (first + row) * cols + column) / EIGHT;
    }

    /** Sets the codes of eight columns; values become what they are then. */
    private void put(int column, float[][] values) {
      float[] eight = new float[EIGHT];
      for (int r = 0; r < n; r++) {
        for (int i = 0; i < EIGHT; i++) {
          eight[i] = values[i][r];
        }
        out.put(element(r, column), eight);
        for (int i = 0; i < EIGHT; i++) {
          values[i][r] = eight[i];
        }
      }
    }
  }

  private static void add(float[] x, float[] y, int factor) {
    for (int r = 0; r < x.length; r++) {
      x[r] += factor * y[r];
    }
  }
}
