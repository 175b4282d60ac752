package dev.nibble.data.batching;

import java.util.List;

/**
 * SplitMix64 (Steele, Lea, Flood 2014): small, and the same numbers on every machine and in every
 * version, so that a seed means the same order for ever.
 */
final class SplitMix {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;
  private long state;

  SplitMix(long seed) {
    state = seed;
  }

  long nextLong() {
    state += GOLDEN;
    return mix(state);
  }

  /** Uniform in [0, bound), up to a bias of 2^-32. */
  int nextInt(int bound) {
    return (int) (((nextLong() >>> 32) * bound) >>> 32);
  }

  /** Uniform in [0, bound), up to a bias of bound / 2^64. */
  long nextLong(long bound) {
    return Math.unsignedMultiplyHigh(nextLong(), bound);
  }

  /** Puts items into random order (Fisher and Yates). */
  <T> void shuffle(List<T> items) {
    for (int i = items.size() - 1; i > 0; i--) {
      items.set(i, items.set(nextInt(i + 1), items.get(i)));
    }
  }

  /** A well-mixed number for a tuple. */
  static long hash(long... parts) {
    long h = 0;
    for (long part : parts) {
      h = mix(h + GOLDEN + mix(part + GOLDEN));
    }
    return h;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
