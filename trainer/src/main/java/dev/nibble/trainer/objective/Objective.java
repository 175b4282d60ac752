package dev.nibble.trainer.objective;

import dev.nibble.data.Batch;

/**
 * The loss that a model's outputs for a batch are judged by. An objective decides which forward
 * passes a batch needs, at which positions it reads their logits, and what gradient goes back into
 * them; it does not know what the model is made of, nor what in it trains.
 */
public interface Objective {

  /**
   * Adds the gradient of the sum of a batch's losses to that of the model's parameters.
   *
   * @param passes over the batch, in training mode; {@link ForwardPasses#model} must be the last
   *     one asked for
   * @return the sum of the losses
   */
  LossSum accumulate(ForwardPasses passes, Batch batch);

  /** Neighbouring samples of a batch that have a loss only together. */
  default int samplesOfTerm() {
    return 1;
  }

  /**
   * The sum of a batch's losses.
   *
   * @param passes over the batch, in evaluation mode
   */
  LossSum evaluate(ForwardPasses passes, Batch batch);
}
