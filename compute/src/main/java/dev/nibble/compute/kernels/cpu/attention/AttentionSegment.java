package dev.nibble.compute.kernels.cpu.attention;

import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.tensor.Tensor;

/**
 * The position of one segment's queries and keys, and the keys that each query attends to.
 *
 * @param rule the keys that a query attends to
 */
record AttentionSegment(
    long queryStart, long queries, long keyStart, long keys, AttentionRule rule) {
  /** Queries of a block. */
  private static final long QUERIES = 128;

  /** Scores of a block. */
  private static final long SCORES = 1 << 16;

  /** Floats of an operand of a block. */
  private static final long FLOATS = 1 << 16;

  static AttentionSegment of(Tensor segments, long s, AttentionRule rule) {
    var m = segments.memory();
    return new AttentionSegment(
        VectorMath.getInt(m, 4 * s),
        VectorMath.getInt(m, 4 * s + 1),
        VectorMath.getInt(m, 4 * s + 2),
        VectorMath.getInt(m, 4 * s + 3),
        rule);
  }

  /** The number of queries of a block. */
  static long queryBlock(long queries, long size) {
    return Math.max(1, Math.min(Math.min(QUERIES, queries), FLOATS / Math.max(1, size)));
  }

  /** The number of keys that a block of queries is multiplied with at once. */
  static long keyBlock(long queries, long size) {
    return Math.max(1, Math.min(SCORES / queries, FLOATS / Math.max(1, size)));
  }

  /** The first key that a query sees. */
  long seenFrom(long query) {
    return rule.window() == 0 ? 0 : Math.max(0, seenTo(query) - rule.window());
  }

  /** The key after the last that a query sees. */
  long seenTo(long query) {
    return rule.isCausal() ? Math.clamp(query + 1 + keys - queries, 0, keys) : keys;
  }
}
