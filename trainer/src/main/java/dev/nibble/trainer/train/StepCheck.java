package dev.nibble.trainer.train;

import dev.nibble.errors.Remedy;
import dev.nibble.trainer.objective.LossSum;
import java.util.Optional;

/** What must hold before the weights are touched. */
final class StepCheck {
  private StepCheck() {}

  static void learnsSomething(long step, LossSum loss, long tokens) {
    if (loss.terms() == 0) {
      throw new TrainingException(
          "step %d has no token to train on among its %d tokens, so there is nothing to learn"
              .formatted(step, tokens),
          Remedy.SHOW_SAMPLES);
    }
  }

  /** What is not finite, such as {@code the loss is NaN}; empty when all is well. */
  static Optional<String> nonFinite(LossSum loss, double norm) {
    if (!Double.isFinite(loss.sum())) {
      return Optional.of("the loss is " + loss.mean());
    }
    return Double.isFinite(norm) ? Optional.empty() : Optional.of("the gradient norm is " + norm);
  }
}
