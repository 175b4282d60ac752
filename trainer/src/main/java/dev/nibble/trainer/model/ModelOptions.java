package dev.nibble.trainer.model;

import dev.nibble.quant.WeightFormat;
import java.util.Optional;

/**
 * How to build a model.
 *
 * @param training what trains
 * @param quantization of the frozen linear maps inside the blocks; empty leaves them as stored
 * @param maxBatchTokens the most tokens of a batch: what activations are sized for
 * @param checkpointing which layers keep their activations for backward
 * @param embeddingNoise alpha of NEFTune (arXiv:2310.05914): when training, uniform noise of
 *     magnitude alpha / sqrt(L C) is added to the embeddings of a sample of L tokens; 0 for none
 */
public record ModelOptions(
    Training training,
    Optional<WeightFormat> quantization,
    int maxBatchTokens,
    Checkpointing checkpointing,
    double embeddingNoise) {

  /** Without noise. */
  public ModelOptions(
      Training training,
      Optional<WeightFormat> quantization,
      int maxBatchTokens,
      Checkpointing checkpointing) {
    this(training, quantization, maxBatchTokens, checkpointing, 0);
  }

  /** Checks that the options fit each other. */
  public ModelOptions {
    if (maxBatchTokens < 1) {
      throw new IllegalArgumentException("maxBatchTokens is " + maxBatchTokens);
    }
    if (!(embeddingNoise >= 0) || Double.isInfinite(embeddingNoise)) {
      throw new IllegalArgumentException("embedding noise is " + embeddingNoise);
    }
    if (training instanceof Training.AllWeights && quantization.isPresent()) {
      throw new ModelException(
          "quantised weights cannot train: train an adapter on them, or load them unquantised");
    }
  }
}
