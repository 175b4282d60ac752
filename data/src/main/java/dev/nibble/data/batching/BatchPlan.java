package dev.nibble.data.batching;

import java.util.Optional;

/**
 * Rules by which samples are grouped into micro-batches.
 *
 * <p>With packing, samples share rows of {@code sequenceLen} tokens, and a micro-batch holds {@code
 * microBatchSize} rows; without, it holds {@code microBatchSize} samples. In neither is there
 * padding, or attention from one sample to another. The last micro-batch of an epoch may be
 * smaller; no sample is dropped, and none is shared between epochs. The order of samples does not
 * depend on {@code microBatchSize}: two micro-batches of one row hold what one of two rows does.
 *
 * @param microBatchSize samples, or packed rows, of a micro-batch
 * @param sequenceLen the largest number of tokens of a sample
 * @param packing whether samples share rows
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
