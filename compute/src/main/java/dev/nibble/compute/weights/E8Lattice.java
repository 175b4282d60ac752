package dev.nibble.compute.weights;

/**
 * 65536 points of the lattice E8 moved by 1/4: "E8P" of QuIP# (Tseng et al., arXiv:2402.04396),
 * which takes eight weights in 16 bits. A point is a row of 256 magnitudes, all odd multiples of
 * 1/2, with a sign for each entry, and 1/4 or -1/4 added to all. With the eighth sign the sum of
 * the entries before the shift is even, so that seven signs are told.
 *
 * <p>The rows are all with a squared norm of 10 at most, which are 227, and the first 29 with five
 * entries of 3/2 and three of 1/2; by norms, and each norm in lexicographic order. Code = row * 256
 * + signs of the first seven entries, the first lowest, 1 for minus, times 2 + 1 for a shift of
 * 1/4. QuIP# numbers its rows otherwise.
 */
public final class E8Lattice {
  /** Weights that a code stands for. */
  public static final int EIGHT = 8;

  /** By what weights of a deviation of 1 are multiplied for the least mean square error. */
  public static final double SPREAD = 1.03;

  private static final int ROWS = 256;

  /** What is added to, or taken from, all entries of a row. */
  public static final float SHIFT = 0.25f;

  /** Twice the magnitudes, by rows. */
  private static final byte[][] DOUBLED = rows();

  /** Magnitudes by entries and rows, so that a loop over rows runs over neighbours. */
  private static final float[][] MAGNITUDES = new float[EIGHT][ROWS];

  /** Squared norms, by rows. */
  private static final float[] NORMS = new float[ROWS];

  /** By rows, 1 where the sum of the magnitudes is odd. */
  private static final int[] ODD = new int[ROWS];

  static {
    for (int row = 0; row < ROWS; row++) {
      int sum = 0;
      for (int i = 0; i < EIGHT; i++) {
        float a = DOUBLED[row][i] / 2f;
        MAGNITUDES[i][row] = a;
        NORMS[row] += a * a;
        sum += DOUBLED[row][i];
      }
      ODD[row] = sum / 2 % 2;
    }
  }

  private E8Lattice() {}

  private static byte[][] rows() {
    byte[][] all = new byte[ROWS][];
    int count = 0;
    // Four times the squared norm.
    for (int norm = 8; norm <= 48; norm += 8) {
      for (int digits = 0; digits < 6561 && count < ROWS; digits++) {
        byte[] row = new byte[EIGHT];
        int rest = digits;
        int squares = 0;
        boolean five = false;
        for (int i = EIGHT - 1; i >= 0; i--) {
          row[i] = (byte) (2 * (rest % 3) + 1);
          rest /= 3;
          squares += row[i] * row[i];
          five |= row[i] == 5;
        }
        if (squares == norm && !(norm == 48 && five)) {
          all[count++] = row;
        }
      }
    }
    return all;
  }

  /** Twice the magnitudes of a row. */
  public static byte[] doubled(int row) {
    return DOUBLED[row].clone();
  }

  /** Sets eight numbers from {@code at} on to the point of a code. */
  public static void point(int code, float[] to, int at) {
    byte[] row = DOUBLED[code >> 8];
    int sum = 0;
    for (int i = 0; i < EIGHT; i++) {
      int signed = i < 7 && (code >> (i + 1) & 1) == 1 ? -row[i] : row[i];
      sum += signed;
      to[at + i] = signed / 2f;
    }
    if ((sum / 2 & 1) == 1) {
      to[at + 7] = -to[at + 7];
    }
    float shift = (code & 1) == 1 ? SHIFT : -SHIFT;
    for (int i = 0; i < EIGHT; i++) {
      to[at + i] += shift;
    }
  }

  /**
   * The code of the point nearest to eight numbers from {@code at} on. Of each row the signs are
   * those of the numbers, but for one where their sum would be odd: the one that costs least.
   */
  public static int nearest(float[] x, int at) {
    int best = 0;
    float least = Float.POSITIVE_INFINITY;
    float[] magnitude = new float[EIGHT];
    float[] distance = new float[ROWS];
    float[] flip = new float[ROWS];
    for (int shift = 0; shift < 2; shift++) {
      float norm = 0;
      int minus = 0;
      for (int i = 0; i < EIGHT; i++) {
        float y = x[at + i] - (shift == 1 ? SHIFT : -SHIFT);
        minus |= y < 0 ? 1 << i : 0;
        magnitude[i] = Math.abs(y);
        norm += y * y;
      }
      distances(magnitude, distance, flip);
      int odd = Integer.bitCount(minus) & 1;
      for (int row = 0; row < ROWS; row++) {
        float all = norm + distance[row] + (ODD[row] == odd ? 0 : 2 * flip[row]);
        if (all < least) {
          least = all;
          best = row << 8 | signs(minus, ODD[row] == odd, magnitude, row) << 1 | shift;
        }
      }
    }
    return best;
  }

  /** |a|^2 - 2 a y of each row's magnitudes a, and the least 2 a_i y_i. */
  private static void distances(float[] y, float[] distance, float[] flip) {
    float[] a = MAGNITUDES[0];
    float first = 2 * y[0];
    for (int row = 0; row < ROWS; row++) {
      float twice = first * a[row];
      distance[row] = NORMS[row] - twice;
      flip[row] = twice;
    }
    for (int i = 1; i < EIGHT; i++) {
      add(MAGNITUDES[i], 2 * y[i], distance, flip);
    }
  }

  private static void add(float[] a, float y, float[] distance, float[] flip) {
    for (int row = 0; row < ROWS; row++) {
      float twice = y * a[row];
      distance[row] -= twice;
      flip[row] = Math.min(flip[row], twice);
    }
  }

  /** The first seven signs. */
  private static int signs(int minus, boolean asTheyAre, float[] y, int row) {
    if (asTheyAre) {
      return minus & 0x7f;
    }
    int cheapest = 0;
    for (int i = 1; i < EIGHT; i++) {
      if (y[i] * MAGNITUDES[i][row] < y[cheapest] * MAGNITUDES[cheapest][row]) {
        cheapest = i;
      }
    }
    return (minus ^ 1 << cheapest) & 0x7f;
  }
}
