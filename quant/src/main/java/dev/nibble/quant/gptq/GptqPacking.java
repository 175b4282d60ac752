package dev.nibble.quant.gptq;

import dev.nibble.compute.tensor.Tensor;

/**
 * Streams of codes in the 32-bit words of a checkpoint, lowest bits first; codes of three bits
 * straddle words.
 */
final class GptqPacking {
  private GptqPacking() {}

  /**
   * out[c, r] = in[r, c] of words. Codes lie in {@code qweight} [words of the inputs, O] as they do
   * in an Affine matrix, but for this.
   *
   * @param in at least rows * cols words
   */
  static int[] transposed(int[] in, int rows, int cols) {
    int[] out = new int[in.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        out[c * rows + r] = in[r * cols + c];
      }
    }
    return out;
  }

  /** The words of bytes. */
  static int[] words(Tensor bytes) {
    int[] all = new int[Math.toIntExact(bytes.elements() / Integer.BYTES)];
    for (int i = 0; i < all.length; i++) {
      long at = (long) i * Integer.BYTES;
      all[i] =
          bytes.getInt(at)
              | bytes.getInt(at + 1) << 8
              | bytes.getInt(at + 2) << 16
              | bytes.getInt(at + 3) << 24;
    }
    return all;
  }

  /** The zero points in {@code qzeros} [groups, words of the outputs], as [O, groups]. */
  static byte[] zeros(Tensor packed, int bits, int rows, int less) {
    int groups = Math.toIntExact(packed.rows());
    int words = Math.toIntExact(packed.cols());
    int mask = (1 << bits) - 1;
    byte[] all = new byte[rows * groups];
    for (int g = 0; g < groups; g++) {
      for (int r = 0; r < rows; r++) {
        int bit = r * bits;
        long at = (long) g * words + bit / Integer.SIZE;
        int shift = bit % Integer.SIZE;
        long word = packed.getInt(at) & 0xffffffffL;
        if (shift + bits > Integer.SIZE) {
          word |= (long) packed.getInt(at + 1) << Integer.SIZE;
        }
        all[r * groups + g] = (byte) ((word >> shift) + less & mask);
      }
    }
    return all;
  }

  /** The inverse: sets {@code packed}, which is all 0. */
  static void putZeros(Tensor zeros, int bits, int rows, int less, Tensor packed) {
    int groups = Math.toIntExact(packed.rows());
    int words = Math.toIntExact(packed.cols());
    int mask = (1 << bits) - 1;
    for (int g = 0; g < groups; g++) {
      for (int r = 0; r < rows; r++) {
        int bit = r * bits;
        long at = (long) g * words + bit / Integer.SIZE;
        long code =
            (long) (zeros.getInt((long) r * groups + g) - less & mask) << (bit % Integer.SIZE);
        packed.setLong(at, packed.getInt(at) | (int) code);
        int above = (int) (code >>> Integer.SIZE);
        if (above != 0) {
          packed.setLong(at + 1, packed.getInt(at + 1) | above);
        }
      }
    }
  }
}
