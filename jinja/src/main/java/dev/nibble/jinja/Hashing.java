package dev.nibble.jinja;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Hash codes that a template cannot foresee. With those of Java it could make many keys with one
 * hash, which a dictionary takes quadratic time for. They differ from process to process; no order
 * follows from them.
 */
final class Hashing {
  private static final long SEED = ThreadLocalRandom.current().nextLong();
  private static final long FACTOR = 0x9E3779B97F4A7C15L;

  private Hashing() {}

  static int of(String text) {
    long hash = SEED;
    for (int i = 0; i < text.length(); i++) {
      hash = mixed(hash ^ text.charAt(i));
    }
    return (int) (hash >>> 32);
  }

  static int of(byte[] bytes) {
    long hash = SEED;
    for (byte b : bytes) {
      hash = mixed(hash ^ b);
    }
    return (int) (hash >>> 32);
  }

  static int of(double number) {
    return (int) (mixed(mixed(SEED ^ Double.doubleToLongBits(number))) >>> 32);
  }

  private static long mixed(long hash) {
    long product = hash * FACTOR;
    return product ^ (product >>> 29) ^ SEED;
  }
}
