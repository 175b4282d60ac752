package dev.nibble.trainer.model.layers;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.LayerPlan;

/**
 * One layer's keys and values of several sequences. Row {@code s * capacity + p} belongs to
 * position p of sequence s, and is 0 until its token comes.
 *
 * @param keys [sequences * capacity, K*D], rotated by rope
 * @param values [sequences * capacity, K*D]
 * @param rows I32 [N]: the rows of the tokens of a pass, shared by all layers
 */
record KeyValueCache(Tensor keys, Tensor values, Tensor rows) {

  static KeyValueCache allocate(
      Buffers buffers, LayerPlan.Attention plan, int positions, Tensor rows) {
    return new KeyValueCache(
        buffers.activation("cache/keys", positions, plan.keyValue()),
        buffers.activation("cache/values", positions, plan.keyValue()),
        rows);
  }

  /** Stores k and v [N, K*D] of new tokens. */
  void put(Kernels kernels, Tensor k, Tensor v) {
    Tensor to = rows.prefix(k.rows());
    kernels.moving().gatherRowsBackward(keys, k, to); // added to 0
    kernels.moving().gatherRowsBackward(values, v, to);
  }

  /** Forgets the tokens of rows {@code from} (inclusive) to {@code to} (exclusive). */
  void clear(Kernels kernels, int from, int to) {
    kernels.moving().fill(keys.slice(from, to), 0);
    kernels.moving().fill(values.slice(from, to), 0);
  }
}
