package dev.nibble.compute.kernels;

import java.util.Arrays;

/**
 * The dynamic 8-bit data type of optimizer states (arXiv:2110.02861): 256 values, bit-identical to
 * those of bitsandbytes. Each of seven decades is divided into steps, more of them for larger
 * values; 0 and 1 are values too.
 *
 * <p>A state x of a block of {@value #BLOCK} is stored as the code of {@code u = x / max(absmax,
 * 2^-126)}, absmax being the block's largest magnitude. The code is that of the nearest value, by
 * float32 midpoints; in a tie the even code. A negative x never takes the code of 0.
 */
public final class DynamicMap {
  /** States that share a scale. */
  public static final int BLOCK = 256;

  private static final int DECADES = 7;
  private static final float LEAST = 0.1f;
  // Floats that agree in sign, exponent and seven more bits lie between a few thresholds at most.
  private static final int SHIFT = 16;

  /**
   * The signed map, for first moments. It is asymmetric: 127 values are negative, and -1 is not one
   * of them.
   */
  public static final DynamicMap SIGNED = new DynamicMap(true);

  /** The unsigned map, for second moments. */
  public static final DynamicMap UNSIGNED = new DynamicMap(false);

  private final float[] values;
  private final float[] thresholds;
  private final byte[] firstCodes = new byte[1 << SHIFT];

  private DynamicMap(boolean signed) {
    values = values(signed);
    thresholds = thresholds(values);
    for (int i = 0; i < firstCodes.length; i++) {
      boolean negative = i >= firstCodes.length / 2;
      int least = i << SHIFT | (negative ? (1 << SHIFT) - 1 : 0);
      firstCodes[i] = (byte) search(Float.intBitsToFloat(least));
    }
  }

  /** Ascending values, a copy: code c stands for codebook[c]. */
  public float[] codebook() {
    return values.clone();
  }

  /** 255 ascending numbers, a copy: the code of u is how many of them are below u. */
  public float[] thresholds() {
    return thresholds.clone();
  }

  /** The value of a code. */
  public float value(byte code) {
    return values[code & 0xff];
  }

  /** The code of u in [-1, 1]. */
  public byte code(float u) {
    int code = firstCodes[Float.floatToRawIntBits(u) >>> SHIFT] & 0xff;
    while (code < thresholds.length && thresholds[code] < u) {
      code++;
    }
    return (byte) code;
  }

  private int search(float u) {
    int code = 0;
    while (code < thresholds.length && thresholds[code] < u) {
      code++;
    }
    return code;
  }

  private static float[] values(boolean signed) {
    float[] all = new float[256];
    int n = 0;
    all[n++] = 0;
    all[n++] = 1;
    for (int decade = 0; decade < DECADES; decade++) {
      int steps = 1 << (signed ? decade : decade + 1);
      float scale = (float) Math.pow(10, decade - (DECADES - 1));
      for (int i = 0; i < steps; i++) {
        float middle = (boundary(i, steps) + boundary(i + 1, steps)) / 2;
        all[n++] = scale * middle;
        if (signed) {
          all[n++] = -(scale * middle);
        }
      }
    }
    Arrays.sort(all);
    return all;
  }

  /** Of {@code steps} equal steps from 0.1 to 1, rounded as PyTorch's linspace rounds. */
  private static float boundary(int i, int steps) {
    float step = (1 - LEAST) / steps;
    return i < (steps + 1) / 2 ? Math.fma(step, i, LEAST) : Math.fma(-step, steps - i, 1f);
  }

  private static float[] thresholds(float[] values) {
    float[] thresholds = new float[values.length - 1];
    for (int i = 0; i < thresholds.length; i++) {
      float middle = (values[i] + values[i + 1]) * 0.5f;
      // "Below" puts a tie with the lower code; one step down puts it with the higher.
      thresholds[i] = i % 2 == 0 ? middle : Math.nextDown(middle);
      if (values[i + 1] == 0) {
        thresholds[i] = -Float.MIN_NORMAL;
      }
    }
    return thresholds;
  }
}
