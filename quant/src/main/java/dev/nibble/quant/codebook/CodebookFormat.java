package dev.nibble.quant.codebook;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import java.util.Locale;

/**
 * A format of a table and block scales that is there to compare others with. No other tool reads
 * weights so, and no checkpoint stores them.
 *
 * @param table the values that a weight can take
 * @param scales of its blocks
 */
public record CodebookFormat(Table table, BlockScales scales) implements WeightFormat {

  /** The values of all codes, in proportion to the largest magnitude of a block. */
  public enum Table {
    /** Standard 4-bit floating point: a sign, two bits of exponent, one of mantissa. */
    E2M1(4, "FP4 (E2M1)"),
    /** Whole numbers from -7 to 7. */
    INT4(4, "INT4"),
    /** Whole numbers from -3 to 3. */
    INT3(3, "INT3"),
    /** -1, 0 and 1. */
    INT2(2, "INT2"),
    /** Quantiles of a normal distribution by the rule that gives NF4, for eight values. */
    NF3(3, "NF3"),
    /** The same for four values. */
    NF2(2, "NF2");

    private final int bits;
    private final String words;

    Table(int bits, String words) {
      this.bits = bits;
      this.words = words;
    }

    /** Bits of a code. */
    public int bits() {
      return bits;
    }

    /** The value of each code. */
    public float[] entries() {
      return switch (this) {
        case E2M1 -> signed(0, 0.5, 1, 1.5, 2, 3, 4, 6);
        case INT4 -> signed(0, 1, 2, 3, 4, 5, 6, 7);
        case INT3 -> signed(0, 1, 2, 3);
        case INT2 -> signed(0, 1);
        case NF3 ->
            new float[] {
              -1, -0.47862917f, -0.21714182f, 0, 0.16093017f, 0.33791518f, 0.56261694f, 1
            };
        case NF2 -> new float[] {-1, 0, 0.33791518f, 1};
      };
    }

    /** Codes of a sign in the highest bit and a magnitude; the last one is the largest. */
    private static float[] signed(double... magnitudes) {
      int half = magnitudes.length;
      float[] values = new float[2 * half];
      for (int i = 0; i < half; i++) {
        values[i] = (float) (magnitudes[i] / magnitudes[half - 1]);
        values[half + i] = 0 - values[i]; // of 0 it is 0, not -0
      }
      return values;
    }
  }

  /** For example {@code e2m1}. */
  @Override
  public String name() {
    return table.name().toLowerCase(Locale.ROOT);
  }

  /** For example {@code NF3, blocks of 64, double quantisation}. */
  @Override
  public String describe() {
    return "%s, %s".formatted(table.words, scales.describe());
  }

  @Override
  public double bitsPerWeight() {
    return table.bits() + scales.bitsPerWeight();
  }

  @Override
  public CodebookAllocator allocator(Kernels kernels, Scope scope) {
    return new CodebookAllocator(kernels, scope, table.words, table.entries(), scales);
  }

  /**
   * There is none.
   *
   * @throws UnusableWeight always
   */
  @Override
  public CheckpointLayout layout() {
    throw new UnusableWeight(
        "%s is a format to compare others with, in which no checkpoint is stored"
            .formatted(describe()));
  }

  @Override
  public String toString() {
    return describe();
  }
}
