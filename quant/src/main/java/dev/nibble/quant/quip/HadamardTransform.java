package dev.nibble.quant.quip;

import java.util.Optional;

/**
 * The orthogonal transform y = (H_q (x) H_2^k) x / sqrt(n) of n = q 2^k numbers, with H_q of {@link
 * HadamardMatrices} and H_2^k that of Sylvester: [[H, H], [H, -H]] doubled k times. Number i is in
 * row i / 2^k of q. Takes n (k + q) additions.
 */
final class HadamardTransform {
  private final byte[][] base;
  private final int power;
  private final float scale;

  private HadamardTransform(byte[][] base, int power) {
    this.base = base;
    this.power = power;
    scale = (float) (1 / Math.sqrt((double) base.length * power));
  }

  /** The transform of so many numbers, with the smallest q; empty where no matrix is known. */
  static Optional<HadamardTransform> of(int n) {
    int power = Integer.lowestOneBit(n);
    for (int q = n / power; q <= n && power > 0; q *= 2, power /= 2) {
      Optional<byte[][]> base = HadamardMatrices.of(q);
      if (base.isPresent()) {
        return Optional.of(new HadamardTransform(base.get(), power));
      }
    }
    return Optional.empty();
  }

  /** How many numbers. */
  int size() {
    return base.length * power;
  }

  /** x = H x, for the n numbers from {@code at} on. */
  void apply(float[] x, int at) {
    sylvester(x, at);
    mix(x, at, false);
  }

  /** x = H^T x, which undoes {@link #apply}. */
  void undo(float[] x, int at) {
    sylvester(x, at);
    mix(x, at, true);
  }

  /** Each row by the symmetric matrix of Sylvester. */
  private void sylvester(float[] x, int at) {
    int end = at + size();
    for (int half = 1; half < power; half *= 2) {
      for (int from = at; from < end; from += 2 * half) {
        for (int i = from; i < from + half; i++) {
          float a = x[i];
          float b = x[i + half];
          x[i] = a + b;
          x[i + half] = a - b;
        }
      }
    }
  }

  /** Rows by the base or its transpose; scales. */
  private void mix(float[] x, int at, boolean transposed) {
    int q = base.length;
    float[] out = new float[size()];
    for (int i = 0; i < q; i++) {
      for (int j = 0; j < q; j++) {
        byte sign = transposed ? base[j][i] : base[i][j];
        int from = at + j * power;
        int to = i * power;
        for (int k = 0; k < power; k++) {
          out[to + k] += sign * x[from + k];
        }
      }
    }
    for (int i = 0; i < out.length; i++) {
      x[at + i] = out[i] * scale;
    }
  }
}
