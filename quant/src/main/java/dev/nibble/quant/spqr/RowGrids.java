package dev.nibble.quant.spqr;

/**
 * For each of some rows the values that codes stand for: {@code (code - zero) * scale}, with a code
 * from 0 to the largest.
 */
final class RowGrids {
  /** As a column to leave out: none. */
  static final int NONE = -1;

  private static final float FARTHEST = 1024;

  /** A scale is taken to be this where it is less. */
  private static final float LEAST_SCALE = 1e-9f;

  /** Adding and subtracting this rounds a float below 2^22 to the nearest integer, ties to even. */
  private static final float ROUND = 0x1.8p23f;

  private final float[] scale;
  private final float[] zero;
  private final int most;

  /**
   * Grids.
   *
   * @param scale by rows
   * @param zero by rows, not whole
   * @param most the largest code
   */
  RowGrids(float[] scale, float[] zero, int most) {
    this.scale = scale;
    this.zero = zero;
    this.most = most;
  }

  /**
   * The grids from each row's least value to its largest. Where these are so near each other that 0
   * lies more than {@value #FARTHEST} steps away, as no float16 can tell, from 0 to them.
   *
   * @param columns by columns and rows
   * @param but a column that does not count
   */
  static RowGrids over(float[][] columns, int but, int most) {
    int rows = columns[0].length;
    float[] low = columns[but == 0 ? columns.length - 1 : 0].clone();
    float[] high = low.clone();
    for (int k = 0; k < columns.length; k++) {
      if (k != but) {
        include(columns[k], low, high);
      }
    }
    float[] scale = new float[rows];
    float[] zero = new float[rows];
    for (int r = 0; r < rows; r++) {
      float step = (high[r] - low[r]) / most;
      boolean near = Math.max(low[r], -high[r]) > FARTHEST * step || step == 0;
      float least = near ? Math.min(low[r], 0) : low[r];
      float largest = near ? Math.max(high[r], 0) : high[r];
      scale[r] = (largest - least) / most;
      zero[r] = scale[r] == 0 ? 0 : -least / scale[r];
    }
    return new RowGrids(scale, zero, most);
  }

  /** Scales, by rows. */
  float[] scale() {
    return scale;
  }

  /** Zero points, by rows. */
  float[] zero() {
    return zero;
  }

  private static void include(float[] x, float[] low, float[] high) {
    for (int r = 0; r < x.length; r++) {
      low[r] = Math.min(low[r], x[r]);
      high[r] = Math.max(high[r], x[r]);
    }
  }

  /** Sets the code of each row's value, and by how much it misses the value. */
  void round(float[] x, float[] code, float[] error) {
    for (int r = 0; r < x.length; r++) {
      code[r] = code(x[r], scale[r], zero[r], most);
      error[r] = x[r] - scale[r] * (code[r] - zero[r]);
    }
  }

  /** The code of a value in a row. */
  float code(float x, int row) {
    return code(x, scale[row], zero[row], most);
  }

  private static float code(float x, float scale, float zero, int most) {
    float steps = x / Math.max(scale, LEAST_SCALE) + zero;
    return (Math.min(Math.max(steps, 0), most) + ROUND) - ROUND;
  }

  /**
   * Adds to each row the squares of what its values are missed by, times a factor.
   *
   * @param but a column that does not count
   * @param factors by columns
   */
  void addLosses(float[][] columns, int but, float[] factors, float[] losses) {
    float[] code = new float[losses.length];
    float[] error = new float[losses.length];
    for (int k = 0; k < columns.length; k++) {
      if (k != but) {
        round(columns[k], code, error);
        addSquares(losses, error, factors[k]);
      }
    }
  }

  private static void addSquares(float[] sums, float[] x, float factor) {
    for (int r = 0; r < sums.length; r++) {
      float y = x[r] * factor;
      sums[r] += y * y;
    }
  }
}
