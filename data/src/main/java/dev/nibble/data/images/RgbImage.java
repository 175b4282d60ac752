package dev.nibble.data.images;

/**
 * A picture of three channels, without alpha.
 *
 * @param samples red, green and blue of each pixel, row by row, each 0 to 255 as an unsigned byte
 */
@SuppressWarnings("ArrayRecordComponent") // read-only; compared by identity only
public record RgbImage(int width, int height, byte[] samples) {
  /** Samples of a pixel. */
  static final int CHANNELS = 3;

  /** Checks the sizes. */
  public RgbImage {
    if (width < 1 || height < 1 || samples.length != (long) CHANNELS * width * height) {
      throw new IllegalArgumentException(
          "an image of %d x %d with %d samples".formatted(width, height, samples.length));
    }
  }

  /** The part of a size whose upper left corner is given. */
  RgbImage part(int left, int top, ImageSize size) {
    byte[] kept = new byte[CHANNELS * size.width() * size.height()];
    int length = CHANNELS * size.width();
    for (int y = 0; y < size.height(); y++) {
      System.arraycopy(samples, CHANNELS * ((top + y) * width + left), kept, y * length, length);
    }
    return new RgbImage(size.width(), size.height(), kept);
  }
}
