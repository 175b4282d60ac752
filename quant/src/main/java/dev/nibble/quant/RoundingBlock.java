package dev.nibble.quant;

/**
 * Columns that are rounded one after another: at first they are moved by the errors of all columns
 * before the block, and then each moves those that follow it in the block. See {@link
 * HessianFactor} for both.
 */
public final class RoundingBlock {
  private final HessianFactor factor;
  private final int from;
  private final Feedback feedback;

  /** By how much of its error column i moves a later j. */
  private final float[][] moves;

  /** The columns with positions from (inclusive) to to (exclusive). */
  public RoundingBlock(HessianFactor factor, int from, int to) {
    this.factor = factor;
    this.from = from;
    feedback = factor.feedback(from, to);
    double[][] u = factor.inverse(from, to);
    moves = new float[to - from][to - from];
    for (int i = 0; i < moves.length; i++) {
      for (int j = i + 1; j < moves.length; j++) {
        moves[i][j] = (float) (u[i][j] / u[i][i]);
      }
    }
  }

  /** How many columns. */
  public int size() {
    return moves.length;
  }

  /** The position of column {@code i} of the block. */
  public int position(int i) {
    return from + i;
  }

  /** The input of column {@code i} of the block. */
  public int input(int i) {
    return factor.input(from + i);
  }

  /**
   * The block's columns, moved by the errors before it.
   *
   * @param w some rows by positions: errors, original less rounded, of the columns before the
   *     block; its columns as they were
   */
  public float[][] begin(float[][] w) {
    float[][] now = new float[moves.length][];
    for (int i = 0; i < now.length; i++) {
      now[i] = w[from + i].clone();
    }
    feedback.add(w, now);
    return now;
  }

  /**
   * Moves the columns after {@code i}.
   *
   * @param now the block's columns
   * @param error what column i was less what it became, by rows
   */
  public void move(float[][] now, int i, float[] error) {
    for (int j = i + 1; j < now.length; j++) {
      move(now[j], error, moves[i][j]);
    }
  }

  private static void move(float[] x, float[] error, float factor) {
    for (int r = 0; r < x.length; r++) {
      x[r] = Math.fma(-factor, error[r], x[r]);
    }
  }
}
