package dev.nibble.adapters;

/**
 * PyTorch's random numbers on the CPU: a Mersenne Twister (MT19937, Matsumoto and Nishimura 1998)
 * and its uniform distribution, equal to {@code torch.Generator} to the bit.
 */
final class TorchRandom {
  private static final int SIZE = 624;
  private static final int SHIFT = 397;
  private static final int MATRIX = 0x9908b0df;
  private static final int LOWER = 0x7fffffff;

  private final int[] state = new int[SIZE];
  private int next = SIZE;

  /**
   * A generator.
   *
   * @param seed of {@code manual_seed}; its lower 32 bits count
   */
  TorchRandom(long seed) {
    state[0] = (int) seed;
    for (int i = 1; i < SIZE; i++) {
      state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
  }

  /** {@code uniform_(-bound, bound)} of float32, element after element. */
  float[] uniform(int count, double bound) {
    double to = (float) bound;
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      double fraction = (bits() & 0xffffff) * 0x1p-24;
      values[i] = (float) (fraction * (2 * to) - to);
    }
    return values;
  }

  private int bits() {
    if (next == SIZE) {
      twist();
    }
    int y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return y ^ (y >>> 18);
  }

  private void twist() {
    for (int i = 0; i < SIZE; i++) {
      int y = (state[i] & ~LOWER) | (state[(i + 1) % SIZE] & LOWER);
      state[i] = state[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ ((y & 1) * MATRIX);
    }
    next = 0;
  }
}
