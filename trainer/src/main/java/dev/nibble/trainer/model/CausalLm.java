package dev.nibble.trainer.model;

import dev.nibble.adapters.Parameters;
import dev.nibble.data.Batch;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import java.util.Optional;

/**
 * A decoder-only language model over activations that were allocated when it was built. It works on
 * one batch at a time.
 */
public interface CausalLm {

  /** Vocabulary size V. */
  int vocabSize();

  /** The most tokens that one batch may hold. */
  int maxBatchTokens();

  /** The most positions of one sample. */
  int maxPositions();

  /** What trains. */
  Parameters parameters();

  /**
   * Adds the gradient of the sum of a batch's losses to {@code parameters().gradients()}. Dropout
   * is on.
   *
   * @param seed of the dropout masks
   * @return the sum of the losses
   * @throws IllegalArgumentException when the batch or a sample is too long
   * @throws IllegalStateException when nothing trains in this model
   */
  LossSum accumulate(Batch batch, long seed, Objective objective);

  /** The sum of a batch's losses, without dropout. */
  LossSum evaluate(Batch batch, Objective objective);

  /**
   * The first of what a forward pass computes that is NaN or infinite, in words; empty when all of
   * it is finite. For errors: it takes far longer than a pass, and memory.
   */
  Optional<String> firstNonFinite(Batch batch);

  /** Logits [N][V] of every position of a batch, without dropout. */
  float[][] logits(Batch batch);

  /**
   * A session that generates up to {@code sequences} continuations of up to {@code capacity} tokens
   * at once.
   */
  Decoder decoder(int sequences, int capacity);

  /** Why this model cannot compute without its adapters; empty where it can. */
  Optional<String> baseIsLost();

  /**
   * As {@link #decoder}, without adapters: as the frozen base.
   *
   * @throws IllegalStateException when the base is lost
   */
  Decoder baseDecoder(int sequences, int capacity);
}
