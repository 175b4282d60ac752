package dev.nibble.data.batching;

import java.util.Optional;

/**
 * How samples become micro-batches.
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
          "micro_batch_size must be at least 1 and sequence_len at least 2, are %d and %d"
              .formatted(microBatchSize, sequenceLen));
    }
  }

  /** The most tokens that a micro-batch can have. */
  public int maxTokens() {
    return Math.multiplyExact(microBatchSize, sequenceLen);
  }
}
