package dev.nibble.trainer.model;

import dev.nibble.quant.FourBitFormat;
import java.util.Optional;

/**
 * How to build a model.
 *
 * @param training what trains
 * @param quantization of the frozen linear maps inside the blocks; empty leaves them as stored
 * @param maxBatchTokens the most tokens of a batch: what activations are sized for
 * @param gradientCheckpointing keep each layer's input only, and compute the rest again in backward
 */
public record ModelOptions(
    Training training,
    Optional<FourBitFormat> quantization,
    int maxBatchTokens,
    boolean gradientCheckpointing) {

  /** Checks that the options fit each other. */
  public ModelOptions {
    if (maxBatchTokens < 1) {
      throw new IllegalArgumentException("maxBatchTokens is " + maxBatchTokens);
    }
    if (training instanceof Training.AllWeights && quantization.isPresent()) {
      throw new ModelException(
          "quantised weights cannot train: train an adapter on them, or load them unquantised");
    }
  }
}
