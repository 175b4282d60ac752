package dev.nibble.compute.tensor;

/** Conversions between float32 and the 16-bit formats, rounding to nearest even. */
public final class Half {
  private Half() {}

  /** float32 to the bits of bfloat16; NaN stays NaN. */
  public static short toBf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  /** Bits of bfloat16 to float32, exact. */
  public static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** float32 to the bits of binary16; overflow becomes infinity. */
  public static short toF16(float x) {
    return Float.floatToFloat16(x);
  }

  /** Bits of binary16 to float32, exact. */
  public static float fromF16(short bits) {
    return Float.float16ToFloat(bits);
  }
}
