package dev.nibble.quant.awq;

import dev.nibble.compute.tensor.Tensor;

/** The words of AWQ's GEMM layout: 8 codes of neighbouring outputs, in an order of their own. */
final class AwqPacking {
  /** Codes of a word. */
  static final int CODES = 8;

  /** Which of a word's outputs lies where, from the lowest four bits up. */
  private static final int[] OUTPUT = {0, 2, 4, 6, 1, 3, 5, 7};

  private static final int MASK = 0xf;

  private AwqPacking() {}

  /** The codes of packed words [N, O / 8], as [O, N]. */
  static byte[] unpack(Tensor packed) {
    int[] all = packed.toInts();
    int cols = Math.toIntExact(packed.cols());
    int n = all.length / cols;
    byte[] codes = new byte[all.length * CODES];
    for (int i = 0; i < n; i++) {
      for (int c = 0; c < cols; c++) {
        for (int k = 0; k < CODES; k++) {
          int output = c * CODES + OUTPUT[k];
          codes[output * n + i] = (byte) (all[i * cols + c] >> (k * AwqFormat.BITS) & MASK);
        }
      }
    }
    return codes;
  }

  /** Codes by their place in [O, N]. */
  interface Codes {
    int at(long i);
  }

  /** The inverse of {@link #unpack}: sets {@code packed}. */
  static void pack(Codes codes, Tensor packed) {
    int cols = Math.toIntExact(packed.cols());
    int n = Math.toIntExact(packed.rows());
    for (int i = 0; i < n; i++) {
      for (int c = 0; c < cols; c++) {
        int word = 0;
        for (int k = 0; k < CODES; k++) {
          long output = (long) c * CODES + OUTPUT[k];
          word |= codes.at(output * n + i) << (k * AwqFormat.BITS);
        }
        packed.setLong((long) i * cols + c, word);
      }
    }
  }
}
