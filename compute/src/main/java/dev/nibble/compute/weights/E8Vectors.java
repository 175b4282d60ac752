package dev.nibble.compute.weights;

/**
 * The 240 shortest vectors of the lattice E8 and the 16 that are 2 or -2 in one entry, by norms,
 * and each norm in lexicographic order: eight bits for what a point of {@link E8Lattice} misses,
 * one a weight.
 */
public final class E8Vectors {
  private static final int EIGHT = E8Lattice.EIGHT;
  private static final int COUNT = 256;

  /** The most that twice an entry is. */
  private static final int LARGEST = 4;

  /** Entries by vectors. */
  private static final float[] ENTRIES = new float[COUNT * EIGHT];

  /** Squared norms. */
  private static final float[] NORMS = new float[COUNT];

  static {
    int count = 0;
    for (int norm = 8; norm <= 16; norm += 8) { // four times the squared norm
      count = add(new int[EIGHT], 0, norm, norm, count);
    }
    if (count != COUNT) {
      throw new IllegalStateException(count + " vectors");
    }
  }

  private E8Vectors() {}

  /** Adds the vectors that go on from the first {@code at} entries with a rest of the norm. */
  private static int add(int[] doubled, int at, int norm, int rest, int from) {
    if (at == EIGHT) {
      return rest == 0 && isIn(doubled, norm) ? put(doubled, from) : from;
    }
    int count = from;
    for (int entry = -LARGEST; entry <= LARGEST; entry++) {
      doubled[at] = entry;
      if (entry * entry <= rest) {
        count = add(doubled, at + 1, norm, rest - entry * entry, count);
      }
    }
    return count;
  }

  /** Whether doubled entries are all even or all odd, with an even sum; of the longer the axes. */
  private static boolean isIn(int[] doubled, int norm) {
    int sum = 0;
    int odd = 0;
    int largest = 0;
    for (int entry : doubled) {
      sum += entry;
      odd += entry & 1;
      largest = Math.max(largest, Math.abs(entry));
    }
    boolean lattice = (odd == 0 || odd == EIGHT) && sum % 4 == 0;
    return lattice && (norm == 8 || largest == LARGEST);
  }

  private static int put(int[] x, int at) {
    for (int i = 0; i < EIGHT; i++) {
      ENTRIES[at * EIGHT + i] = x[i] / 2f;
      NORMS[at] += x[i] * x[i] / 4f;
    }
    return at + 1;
  }

  /** Sets eight numbers from {@code at} on to the vector of a code. */
  public static void vector(int code, float[] to, int at) {
    System.arraycopy(ENTRIES, code * EIGHT, to, at, EIGHT);
  }

  /** The code of the vector nearest to eight numbers from {@code at} on. */
  public static int nearest(float[] x, int at) {
    int best = 0;
    float least = Float.POSITIVE_INFINITY;
    for (int code = 0; code < COUNT; code++) {
      float dot = 0;
      for (int i = 0; i < EIGHT; i++) {
        dot += x[at + i] * ENTRIES[code * EIGHT + i];
      }
      float distance = NORMS[code] - 2 * dot;
      if (distance < least) {
        least = distance;
        best = code;
      }
    }
    return best;
  }
}
