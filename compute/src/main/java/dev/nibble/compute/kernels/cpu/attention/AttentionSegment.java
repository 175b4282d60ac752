package dev.nibble.compute.kernels.cpu.attention;

import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.tensor.Tensor;

/**
 * Where one segment's queries and keys lie, and which keys each query sees.
 *
 * @param window the most keys that a query sees; 0 for all
 */
record AttentionSegment(long queryStart, long queries, long keyStart, long keys, long window) {
  /** Queries of a block. */
  private static final long QUERIES = 128;

  /** Scores of a block. */
  private static final long SCORES = 1 << 16;

  /** Floats of an operand of a block. */
  private static final long FLOATS = 1 << 16;

  static AttentionSegment of(Tensor segments, long s, long window) {
    var m = segments.memory();
    return new AttentionSegment(
        VectorMath.getInt(m, 4 * s),
        VectorMath.getInt(m, 4 * s + 1),
        VectorMath.getInt(m, 4 * s + 2),
        VectorMath.getInt(m, 4 * s + 3),
        window);
  }

  /** How many of so many queries of D floats make a block. */
  static long queryBlock(long queries, long size) {
    return Math.max(1, Math.min(Math.min(QUERIES, queries), FLOATS / Math.max(1, size)));
  }

  /** How many keys of D floats a block of queries meets at once. */
  static long keyBlock(long queries, long size) {
    return Math.max(1, Math.min(SCORES / queries, FLOATS / Math.max(1, size)));
  }

  /** The first key that a query sees. */
  long seenFrom(long query) {
    return window == 0 ? 0 : Math.max(0, seenTo(query) - window);
  }

  /** The key behind the last that a query sees. */
  long seenTo(long query) {
    return Math.clamp(query + 1 + keys - queries, 0, keys);
  }
}
