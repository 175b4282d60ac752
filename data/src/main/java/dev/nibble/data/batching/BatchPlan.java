package dev.nibble.data.batching;

import java.util.Optional;

/**
 * Rules by which samples are grouped into micro-batches.
 *
 * <p>With packing, a micro-batch holds as many whole samples as fit into {@code microBatchSize ·
 * sequenceLen} tokens; without, it holds {@code microBatchSize} samples. In neither is there
 * padding, or attention from one sample to another. The last micro-batch of an epoch may be
 * smaller; no sample is dropped, and none is shared between epochs.
 *
 * @param microBatchSize samples, or sequences' worth of tokens, in a micro-batch
 * @param sequenceLen the largest number of tokens of a sample
 * @param packing whether to fill micro-batches by tokens
 * @param shuffle the order; empty keeps the order of the rows
 */
public record BatchPlan(
    int microBatchSize, int sequenceLen, boolean packing, Optional<Shuffle> shuffle) {
  public BatchPlan {
    if (microBatchSize < 1 || sequenceLen < 2) {
      throw new IllegalArgumentException(
          "a micro-batch must hold at least 1 sample and a sample at least 2 tokens, not %d and %d"
              .formatted(microBatchSize, sequenceLen));
    }
  }

  /** The most tokens that a micro-batch can have. */
  public int maxTokens() {
    return Math.multiplyExact(microBatchSize, sequenceLen);
  }
}
