package dev.nibble.compute.kernels;

/**
 * The float32 mean of a matrix's scales, the offset of double quantisation, to the bit.
 *
 * <p>Float32 sums depend on their order. This is the order in which PyTorch sums a contiguous
 * tensor on one thread with 8-lane vectors: rows of 32 in four vectors, folded through levels so
 * that small sums meet small sums, then the vectors and elements that are left over.
 */
public final class ScaleMean {
  private static final int LANES = 8;
  private static final int ROW = 4 * LANES;
  private static final int LEVELS = 4;

  private final long count;
  private final long rows;
  private final int levelPower;
  private final float[][] levels = new float[LEVELS][ROW];
  private long seen;
  private float rest;

  /** For {@code count} scales. */
  public ScaleMean(long count) {
    this.count = count;
    this.rows = count / ROW;
    int log2 = rows > 1 ? 64 - Long.numberOfLeadingZeros(rows - 1) : 0;
    this.levelPower = Math.max(4, log2 / LEVELS);
  }

  /** The next scale, in order. */
  public void add(float x) {
    long at = seen++;
    if (at < rows * ROW) {
      levels[0][(int) (at % ROW)] += x;
      if (at % ROW == ROW - 1) {
        endOfRow(at / ROW + 1);
      }
    } else if (at < count / LANES * LANES) {
      levels[0][(int) (at % LANES)] += x;
    } else {
      rest += x;
    }
  }

  private void endOfRow(long row) {
    long mask = (1L << levelPower) - 1;
    if ((row & mask) == 0) {
      for (int level = 1; level < LEVELS; level++) {
        fold(level - 1, level);
        if ((row & (mask << (level * levelPower))) != 0) {
          break;
        }
      }
    }
    if (row == rows) {
      for (int level = 1; level < LEVELS; level++) {
        fold(level, 0);
      }
    }
  }

  private void fold(int from, int to) {
    for (int i = 0; i < ROW; i++) {
      levels[to][i] += levels[from][i];
      levels[from][i] = 0;
    }
  }

  /** The mean of the scales added; 0 when there are none. */
  public float mean() {
    if (count == 0) {
      return 0;
    }
    float sum = rest;
    for (int lane = 0; lane < LANES; lane++) {
      float x = levels[0][lane];
      for (int i = lane + LANES; i < ROW; i += LANES) {
        x += levels[0][i];
      }
      sum += x;
    }
    return sum / count;
  }
}
