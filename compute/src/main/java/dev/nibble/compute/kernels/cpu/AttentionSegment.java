package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.tensor.Tensor;

/**
 * Where one segment's queries and keys lie, and which keys each query sees.
 *
 * @param window the most keys that a query sees; 0 for all
 */
record AttentionSegment(long queryStart, long queries, long keyStart, long keys, long window) {

  static AttentionSegment of(Tensor segments, long s, long window) {
    var m = segments.memory();
    return new AttentionSegment(
        VectorMath.getInt(m, 4 * s),
        VectorMath.getInt(m, 4 * s + 1),
        VectorMath.getInt(m, 4 * s + 2),
        VectorMath.getInt(m, 4 * s + 3),
        window);
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
