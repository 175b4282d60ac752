package dev.nibble.adapters;

import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.FrozenWeights;

/** An adapter in memory, on the modules of one model. */
public interface Adapter {

  /** True for a module that the adapter is on. */
  boolean adapts(String module);

  /**
   * A linear map with its part of the adapter.
   *
   * @param module one that the adapter {@link #adapts}
   */
  Projection on(String module, FrozenProjection base);

  /** The part of the adapter on an embedding table that it {@link #adapts}. */
  default EmbeddingUpdate onEmbedding(String module) {
    throw new IllegalStateException(module + " is no embedding that the adapter is on");
  }

  /**
   * Reads the weight of a module that the adapter {@link #adapts}, and takes initial values out of
   * it where the adapter {@link AdapterSpec#changesBase}.
   *
   * @param tensor the weight's name in the checkpoint
   */
  default FrozenMatrix load(String module, String tensor, FrozenWeights weights) {
    return weights.load(tensor);
  }
}
