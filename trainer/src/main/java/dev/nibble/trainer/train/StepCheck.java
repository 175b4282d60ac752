package dev.nibble.trainer.train;

import dev.nibble.errors.Remedy;
import dev.nibble.trainer.objective.LossSum;

/** What must hold before the weights are touched. */
final class StepCheck {
  private StepCheck() {}

  static void loss(long step, LossSum loss, long tokens) {
    if (loss.terms() == 0) {
      throw new TrainingException(
          "step %d has no supervised token among its %d tokens, so there is nothing to learn from"
              .formatted(step, tokens),
          Remedy.SHOW_SAMPLES);
    }
    if (!Double.isFinite(loss.sum())) {
      throw notFinite("loss", step, loss.mean());
    }
  }

  static double norm(long step, double norm) {
    if (!Double.isFinite(norm)) {
      throw notFinite("gradient norm", step, norm);
    }
    return norm;
  }

  private static TrainingException notFinite(String what, long step, double value) {
    return new TrainingException(
        "the %s of step %d is %s. The step's update was not made, and earlier checkpoints are as they were"
            .formatted(what, step, value),
        Remedy.GENTLER_TRAINING);
  }
}
