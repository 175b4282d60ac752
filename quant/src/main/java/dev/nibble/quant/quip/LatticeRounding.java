package dev.nibble.quant.quip;

import dev.nibble.quant.Feedback;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.RoundingBlock;
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

  private final int rows;
  private final int cols;
  private final float scale;
  private final int[] codes;

  /**
   * A rounding.
   *
   * @param scale what a point's entries are multiplied by
   */
  LatticeRounding(int rows, int cols, float scale) {
    this.rows = rows;
    this.cols = cols;
    this.scale = scale;
    codes = new int[Math.multiplyExact(rows, cols / E8Lattice.EIGHT)];
  }

  /** Codes [O, I / 8]. */
  int[] codes() {
    return codes.clone();
  }

  /**
   * Rounds.
   *
   * @param w by rows
   * @param factor of the moments, in the natural order
   * @param moments [I, I] as the factor has them, by rows
   * @param passes over all blocks after the first rounding
   */
  void solve(float[] w, HessianFactor factor, float[] moments, int passes) {
    List<Rows> parts =
        IntStream.range(0, Math.ceilDiv(rows, ROWS)).parallel().mapToObj(p -> new Rows(w, p)).toList();
    for (int from = 0; from < cols; from += BLOCK) {
      RoundingBlock block = new RoundingBlock(factor, from, Math.min(cols, from + BLOCK));
      parts.parallelStream().forEach(part -> part.round(block));
    }
    for (int pass = 0; pass < passes; pass++) {
      for (int from = 0; from < cols; from += E8Lattice.EIGHT) {
        Feedback feedback = Feedback.best(moments, cols, from, E8Lattice.EIGHT);
        int first = from;
        parts.parallelStream().forEach(part -> part.again(first, feedback));
      }
    }
  }

  /** Some rows: errors by columns, original less rounded, where these are rounded. */
  private final class Rows {
    private final int first;
    private final int n;
    private final float[][] w;

    Rows(float[] all, int part) {
      first = part * ROWS;
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
      for (int from = 0; from < now.length; from += E8Lattice.EIGHT) {
        float[][] values = nearest(now, from, block.position(from));
        for (int i = 0; i < E8Lattice.EIGHT; i++) {
          float[] original = w[block.position(from + i)];
          for (int r = 0; r < n; r++) {
            error[r] = now[from + i][r] - values[i][r];
            original[r] -= values[i][r];
          }
          block.move(now, from + i, error);
        }
      }
    }

    /** Rounds the block of eight columns from {@code from} on beside the others. */
    void again(int from, Feedback feedback) {
      float[][] best = new float[E8Lattice.EIGHT][n];
      float[] point = new float[E8Lattice.EIGHT];
      for (int r = 0; r < n; r++) {
        E8Lattice.point(codes[code(r, from)], point, 0);
        for (int i = 0; i < point.length; i++) {
          best[i][r] = point[i] * scale;
        }
      }
      float[][] before = new float[E8Lattice.EIGHT][];
      for (int i = 0; i < before.length; i++) {
        before[i] = best[i].clone();
      }
      feedback.add(w, best);
      float[][] values = nearest(best, 0, from);
      for (int i = 0; i < before.length; i++) {
        for (int r = 0; r < n; r++) {
          w[from + i][r] += before[i][r] - values[i][r];
        }
      }
    }

    private int code(int row, int column) {
      return ((first + row) * cols + column) / E8Lattice.EIGHT;
    }

    /** Sets the codes of eight columns, and gives their values. */
    private float[][] nearest(float[][] x, int from, int column) {
      float[][] values = new float[E8Lattice.EIGHT][n];
      float[] eight = new float[E8Lattice.EIGHT];
      for (int r = 0; r < n; r++) {
        for (int i = 0; i < eight.length; i++) {
          eight[i] = x[from + i][r] / scale;
        }
        int code = E8Lattice.nearest(eight, 0);
        codes[code(r, column)] = code;
        E8Lattice.point(code, eight, 0);
        for (int i = 0; i < eight.length; i++) {
          values[i][r] = eight[i] * scale;
        }
      }
      return values;
    }
  }
}
