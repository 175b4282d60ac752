package dev.nibble.compute.kernels;

/**
 * Random numbers of dropout and embedding noise, as pure functions of a seed and an index: forward,
 * recomputation and every kernel set draw the same bits.
 */
public final class Dropout {
  private Dropout() {}

  /** True when element {@code index} is dropped under {@code seed} at {@code rate} in [0, 1). */
  public static boolean isDropped(long seed, long index, double rate) {
    return (hash(seed + index * 0x9E3779B97F4A7C15L) >>> 40) < threshold(rate);
  }

  /** A uniform random multiple of 2^-23 in [-1, 1). */
  public static float uniform(long seed, long index) {
    return (hash(seed + index * 0x9E3779B97F4A7C15L) >>> 40) * 0x1p-23f - 1;
  }

  /** The 24-bit number below which a hash drops its element. */
  public static long threshold(double rate) {
    return Math.round(rate * (1 << 24));
  }

  /** The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
  public static long hash(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
