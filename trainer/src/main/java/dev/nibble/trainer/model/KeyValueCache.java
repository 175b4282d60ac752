package dev.nibble.trainer.model;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * One layer's keys and values of several sequences. Row {@code s * capacity + p} belongs to
 * position p of sequence s.
 *
 * @param keys F32 [sequences * capacity, K*D], turned by rope
 * @param values F32 [sequences * capacity, K*D]
 */
record KeyValueCache(Tensor keys, Tensor values) {

  static KeyValueCache allocate(Scope scope, Sizes sizes, int sequences, int capacity) {
    long rows = (long) sequences * capacity;
    return new KeyValueCache(
        scope.allocate("cache/keys", DType.F32, rows, sizes.keyValue()),
        scope.allocate("cache/values", DType.F32, rows, sizes.keyValue()));
  }

  /** Stores k and v [N, K*D] of new tokens behind the earlier ones of their sequences. */
  void put(Kernels kernels, Tensor k, Tensor v, Tensor segments) {
    for (long s = 0; s < segments.rows(); s++) {
      int from = segments.getInt(4 * s);
      int length = segments.getInt(4 * s + 1);
      int end = segments.getInt(4 * s + 2) + segments.getInt(4 * s + 3);
      kernels.copy(keys.slice(end - length, end), k.slice(from, from + length));
      kernels.copy(values.slice(end - length, end), v.slice(from, from + length));
    }
  }
}
