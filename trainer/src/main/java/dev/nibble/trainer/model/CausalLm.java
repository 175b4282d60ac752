package dev.nibble.trainer.model;

import dev.nibble.adapters.Parameters;
import dev.nibble.data.Batch;

/**
 * A decoder-only language model over activations that were allocated when it was built. One pass at
 * a time: {@link #backward} belongs to the {@link #forward} just before it.
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
   * The loss over a batch, keeping what backward needs. Dropout is on. Part of the gradient may be
   * added to {@code parameters().gradients()} already here, where it saves work twice: set them to
   * 0 before, not between forward and backward.
   *
   * @param seed of this pass's dropout masks
   * @throws IllegalArgumentException when the batch or a sample is too long
   */
  LossSum forward(Batch batch, long seed);

  /**
   * Completes the gradient of the <em>sum</em> of the last forward's losses in {@code
   * parameters().gradients()}.
   */
  void backward();

  /** The loss over a batch, nothing kept, no dropout. */
  LossSum evaluate(Batch batch);

  /** Logits [N][V] of every position of a batch, without dropout. */
  float[][] logits(Batch batch);

  /**
   * A session that generates up to {@code sequences} continuations of up to {@code capacity} tokens
   * at once.
   */
  Decoder decoder(int sequences, int capacity);
}
