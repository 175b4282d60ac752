package dev.nibble.compute.weights;

import java.util.Arrays;

/**
 * The parts of double quantisation whose bits depend on an order or a table, as pure functions, so
 * that every kernel set makes the codes and offsets that bitsandbytes makes on a CPU.
 */
public final class NestedScales {
  /** Number of bins that [-1, 1] is cut into to look a code up. */
  public static final int BINS = 1 << 16;

  private static final int LANES = 8;
  private static final int CHAINS = 4;
  private static final int LEVELS = 4;

  private NestedScales() {}

  /**
   * The mean of the scales in float32, added in the order of PyTorch's CPU sum on one thread with
   * 256-bit vectors: 8 lanes times 4 chains of partial sums, each a cascade of {@value #LEVELS}
   * levels. bitsandbytes takes its offset so; the last bit of another order's mean differs for
   * about half of all matrices.
   */
  public static float offset(float[] scales) {
    int n = scales.length;
    int width = LANES * CHAINS;
    float[][] sums = new float[LEVELS][width];
    int steps = n / width;
    int power = Math.max(4, ceilLog2(steps) / LEVELS);
    int i = 0;
    while (i < steps) {
      int end = Math.min(steps, i + (1 << power));
      boolean full = end - i == 1 << power;
      for (; i < end; i++) {
        for (int k = 0; k < width; k++) {
          sums[0][k] += scales[i * width + k];
        }
      }
      if (full) {
        carry(sums, i, power);
      }
    }
    for (int level = 1; level < LEVELS; level++) {
      addTo(sums[0], sums[level]);
    }
    return total(sums[0], scales, steps * width) / n;
  }

  /** Moves a full run of partial sums one level up, and further when that level is full too. */
  private static void carry(float[][] sums, int done, int power) {
    for (int level = 1; level < LEVELS; level++) {
      addTo(sums[level], sums[level - 1]);
      Arrays.fill(sums[level - 1], 0);
      if ((done & (((1L << power) - 1) << (level * power))) != 0) {
        return;
      }
    }
  }

  private static float total(float[] partial, float[] scales, int from) {
    int vectors = scales.length / LANES * LANES;
    for (int i = from; i < vectors; i++) {
      partial[(i - from) % LANES] += scales[i];
    }
    for (int k = LANES; k < partial.length; k++) {
      partial[k % LANES] += partial[k];
    }
    float sum = 0;
    for (int i = vectors; i < scales.length; i++) {
      sum += scales[i];
    }
    for (int k = 0; k < LANES; k++) {
      sum += partial[k];
    }
    return sum;
  }

  private static void addTo(float[] sum, float[] x) {
    for (int k = 0; k < sum.length; k++) {
      sum[k] += x[k];
    }
  }

  private static int ceilLog2(int x) {
    return x <= 2 ? 1 : 32 - Integer.numberOfLeadingZeros(x - 1);
  }

  /** The bin of a normalised scale in [-1, 1], all in float32; NaN falls in bin 0. */
  public static int bin(float v) {
    int i = (int) ((v + 1f) * 0.5f * (BINS - 1) + 0.5f);
    return Math.clamp(i, 0, BINS - 1);
  }

  /**
   * The code of each bin: the entry nearest to the bin's value {@code bin / 65535 * 2 - 1} in
   * float32, the lower one when two are equally near.
   *
   * @param codebook 256 ascending values
   */
  public static byte[] codeOfBin(float[] codebook) {
    byte[] codes = new byte[BINS];
    int code = 0;
    for (int i = 0; i < BINS; i++) {
      float v = i / (float) (BINS - 1) * 2f - 1f;
      while (code + 1 < codebook.length
          && Math.abs(v - codebook[code + 1]) < Math.abs(v - codebook[code])) {
        code++;
      }
      codes[i] = (byte) code;
    }
    return codes;
  }
}
