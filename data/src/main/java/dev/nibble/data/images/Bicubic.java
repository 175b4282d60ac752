package dev.nibble.data.images;

import static dev.nibble.data.images.RgbImage.CHANNELS;

/**
 * Cubic convolution with a = -0.5 (Keys 1981), stretched over more pixels where a picture shrinks,
 * to the bit as Pillow does it: columns first, then rows, each time rounded to bytes, with weights
 * of 22 bits after the point.
 */
final class Bicubic {
  private static final double A = -0.5;
  private static final double SUPPORT = 2;
  private static final int BITS = 22;

  private Bicubic() {}

  /** The picture in another size; itself where it has that already. */
  static RgbImage resized(RgbImage image, ImageSize size) {
    RgbImage wide = image.width() == size.width() ? image : columns(image, size.width());
    return wide.height() == size.height() ? wide : rows(wide, size.height());
  }

  private static RgbImage columns(RgbImage in, int width) {
    Weights weights = Weights.of(in.width(), width);
    byte[] out = new byte[CHANNELS * width * in.height()];
    int to = 0;
    for (int y = 0; y < in.height(); y++) {
      for (int x = 0; x < width; x++) {
        int from = CHANNELS * (y * in.width() + weights.first[x]);
        for (int c = 0; c < CHANNELS; c++) {
          out[to++] = sum(in.samples(), from + c, CHANNELS, weights.of[x]);
        }
      }
    }
    return new RgbImage(width, in.height(), out);
  }

  private static RgbImage rows(RgbImage in, int height) {
    Weights weights = Weights.of(in.height(), height);
    int row = CHANNELS * in.width();
    byte[] out = new byte[row * height];
    for (int y = 0; y < height; y++) {
      for (int i = 0; i < row; i++) {
        out[y * row + i] = sum(in.samples(), weights.first[y] * row + i, row, weights.of[y]);
      }
    }
    return new RgbImage(in.width(), height, out);
  }

  private static byte sum(byte[] in, int from, int step, int[] weights) {
    int sum = 1 << (BITS - 1);
    for (int i = 0; i < weights.length; i++) {
      sum += Byte.toUnsignedInt(in[from + i * step]) * weights[i];
    }
    return (byte) Math.clamp(sum >> BITS, 0, 255);
  }

  /** The pixels that each pixel of a line is made of: the first of them, and the weight of each. */
  @SuppressWarnings("ArrayRecordComponent") // read-only; compared by identity only
  private record Weights(int[] first, int[][] of) {
    static Weights of(int in, int out) {
      double scale = (double) in / out;
      double stretch = Math.max(1, scale);
      double support = SUPPORT * stretch;
      int[] first = new int[out];
      int[][] weights = new int[out][];
      for (int i = 0; i < out; i++) {
        double center = (i + 0.5) * scale;
        int from = Math.max(0, (int) (center - support + 0.5));
        int to = Math.min(in, (int) (center + support + 0.5));
        first[i] = from;
        weights[i] = weights(from - center + 0.5, 1 / stretch, to - from);
      }
      return new Weights(first, weights);
    }

    private static int[] weights(double offset, double step, int count) {
      double[] exact = new double[count];
      double sum = 0;
      for (int i = 0; i < count; i++) {
        exact[i] = cubic((i + offset) * step);
        sum += exact[i];
      }
      int[] rounded = new int[count];
      for (int i = 0; i < count; i++) {
        double weight = exact[i] / sum * (1 << BITS);
        rounded[i] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
      }
      return rounded;
    }

    private static double cubic(double at) {
      double x = Math.abs(at);
      if (x < 1) {
        return ((A + 2) * x - (A + 3)) * x * x + 1;
      }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    }
  }
}
