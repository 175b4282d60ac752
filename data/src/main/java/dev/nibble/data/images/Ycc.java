package dev.nibble.data.images;

import static dev.nibble.data.images.RgbImage.CHANNELS;

/**
 * The colour space of JFIF (ITU-R BT.601 at full range), in 16-bit fixed point with the roundings
 * of libjpeg: R = Y + 1.402 Cr, G = Y - 0.34414 Cb - 0.71414 Cr, B = Y + 1.772 Cb.
 */
final class Ycc {
  private static final int HALF = 1 << 15;
  private static final int RED = fixed(1.402);
  private static final int GREEN_BLUE = fixed(0.34414);
  private static final int GREEN_RED = fixed(0.71414);
  private static final int BLUE = fixed(1.772);

  private Ycc() {}

  private static int fixed(double x) {
    return (int) (x * (1 << 16) + 0.5);
  }

  /** Converts pixels of Y, Cb and Cr in place. */
  static void toRgb(byte[] samples) {
    for (int i = 0; i < samples.length; i += CHANNELS) {
      int y = Byte.toUnsignedInt(samples[i]);
      int cb = Byte.toUnsignedInt(samples[i + 1]) - 128;
      int cr = Byte.toUnsignedInt(samples[i + 2]) - 128;
      samples[i] = clipped(y + ((RED * cr + HALF) >> 16));
      samples[i + 1] = clipped(y + ((HALF - GREEN_BLUE * cb - GREEN_RED * cr) >> 16));
      samples[i + 2] = clipped(y + ((BLUE * cb + HALF) >> 16));
    }
  }

  private static byte clipped(int x) {
    return (byte) Math.clamp(x, 0, 255);
  }
}
