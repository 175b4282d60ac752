package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.tensor.Half;
import java.nio.ByteBuffer;

/** Turns float32 values into the bytes of a {@link GgufType}, as gguf-py's quantisers do. */
final class BlockEncoder {
  private static final int BLOCK = 32;

  private BlockEncoder() {}

  /**
   * Appends n values to {@code out}, which is little-endian.
   *
   * @param n a multiple of the type's block size
   * @return the index of the first value that the type cannot hold, or -1
   */
  static int encode(GgufType type, float[] x, int n, ByteBuffer out) {
    return switch (type) {
      case F32 -> f32(x, n, out);
      case F16 -> f16(x, n, out);
      case BF16 -> bf16(x, n, out);
      case Q8_0 -> q8(x, n, out);
      case Q4_0 -> q4(x, n, out);
    };
  }

  private static int f32(float[] x, int n, ByteBuffer out) {
    for (int i = 0; i < n; i++) {
      out.putFloat(x[i]);
    }
    return -1;
  }

  private static int bf16(float[] x, int n, ByteBuffer out) {
    for (int i = 0; i < n; i++) {
      out.putShort(Half.toBf16(x[i]));
    }
    return -1;
  }

  private static int f16(float[] x, int n, ByteBuffer out) {
    for (int i = 0; i < n; i++) {
      short half = Half.toF16(x[i]);
      if ((half & 0x7fff) == 0x7c00 && Float.isFinite(x[i])) {
        return i;
      }
      out.putShort(half);
    }
    return -1;
  }

  /** d = max |x| / 127; q = x / d, rounded half away from zero. */
  private static int q8(float[] x, int n, ByteBuffer out) {
    for (int from = 0; from < n; from += BLOCK) {
      float largest = 0;
      for (int i = from; i < from + BLOCK; i++) {
        largest = Math.max(largest, Math.abs(x[i])); // keeps a NaN
      }
      float d = largest / 127;
      short scale = Half.toF16(d);
      if (!Float.isFinite(Half.fromF16(scale))) {
        return firstLargest(x, from);
      }
      float inverse = d == 0 ? 0 : 1 / d;
      out.putShort(scale);
      for (int i = from; i < from + BLOCK; i++) {
        // In double the sum is exact, so 0.49999997 does not become 1.
        double q = x[i] * inverse;
        out.put((byte) (int) (q + Math.copySign(0.5, q)));
      }
    }
    return -1;
  }

  /**
   * With m the first value of the largest magnitude, d = m / -8; q = x / d + 8.5 cut to 0..15, so
   * that m itself is exact. Byte j holds q[j] low and q[j + 16] high.
   */
  private static int q4(float[] x, int n, ByteBuffer out) {
    for (int from = 0; from < n; from += BLOCK) {
      float largest = 0;
      float signed = x[from]; // of zeros the first counts, for its sign
      boolean nan = false;
      for (int i = from; i < from + BLOCK; i++) {
        float magnitude = Math.abs(x[i]);
        nan |= Float.isNaN(magnitude);
        if (magnitude > largest) {
          largest = magnitude;
          signed = x[i];
        }
      }
      float d = signed / -8;
      short scale = Half.toF16(d);
      if (nan || !Float.isFinite(Half.fromF16(scale))) {
        return firstLargest(x, from);
      }
      float inverse = d == 0 ? 0 : 1 / d;
      out.putShort(scale);
      for (int j = from; j < from + BLOCK / 2; j++) {
        out.put((byte) (nibble(x[j], inverse) | nibble(x[j + BLOCK / 2], inverse) << 4));
      }
    }
    return -1;
  }

  private static int nibble(float x, float inverse) {
    return Math.min(15, (int) (x * inverse + 8.5f));
  }

  /** The first NaN of a block, or else the first value of the largest magnitude. */
  private static int firstLargest(float[] x, int from) {
    int at = from;
    for (int i = from; i < from + BLOCK; i++) {
      if (Float.isNaN(x[i])) {
        return i;
      }
      at = Math.abs(x[i]) > Math.abs(x[at]) ? i : at;
    }
    return at;
  }
}
