package dev.nibble.adapters;

import java.util.List;
import java.util.function.ToLongFunction;

/**
 * A module that an adapter is on.
 *
 * @param module its full name
 * @param isEmbedding whether it is looked up (token embeddings) instead of multiplied by
 * @param outputs O; of embeddings, C
 * @param inputs I; of embeddings, V
 * @param maxTokens the most rows at once
 * @param hasBias whether it has one
 */
public record AdapterTarget(
    String module,
    boolean isEmbedding,
    long outputs,
    long inputs,
    long maxTokens,
    boolean hasBias) {

  /** Without a bias. */
  public AdapterTarget(
      String module, boolean isEmbedding, long outputs, long inputs, long maxTokens) {
    this(module, isEmbedding, outputs, inputs, maxTokens, false);
  }

  /**
   * Refuses embeddings.
   *
   * @param what does not go with them
   */
  void requireLinear(String what) {
    if (isEmbedding) {
      throw new AdapterException(
          "%s does not go with an adapter on embeddings: leave %s out of the target modules"
              .formatted(what, module));
    }
  }

  /** The largest size among targets; 0 when there are none. */
  static long largest(List<AdapterTarget> targets, ToLongFunction<AdapterTarget> size) {
    return targets.stream().mapToLong(size).max().orElse(0);
  }
}
