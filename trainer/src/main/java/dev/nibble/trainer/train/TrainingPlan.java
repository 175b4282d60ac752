package dev.nibble.trainer.train;

/**
 * How long to train and what to do when.
 *
 * @param steps optimizer steps of the whole run
 * @param accumulation micro-batches a step; fewer in the last of an epoch
 * @param seed of the dropout masks
 * @param evaluateOnStart whether there is an evaluation before the first step
 * @param evaluateEvery steps between evaluations; 0 for one after the last step only
 * @param saveEvery steps between checkpoints; 0 for one after the last step only
 * @param mostSkipped steps that may be skipped because their loss or gradient is not finite
 * @param patience evaluations in a row without a lower loss after which the run ends; 0 for never
 */
public record TrainingPlan(
    long steps,
    int accumulation,
    long seed,
    boolean evaluateOnStart,
    long evaluateEvery,
    long saveEvery,
    long mostSkipped,
    long patience) {

  /** Checks the ranges. */
  public TrainingPlan {
    require("steps", steps, 1);
    require("micro-batches a step", accumulation, 1);
    require("steps between evaluations", evaluateEvery, 0);
    require("steps between checkpoints", saveEvery, 0);
    require("steps that may be skipped", mostSkipped, 0);
    require("evaluations to wait for", patience, 0);
  }

  /** A plan that goes from the first step to the last, and in which none may be skipped. */
  public TrainingPlan(long steps, int accumulation, long seed, long evaluateEvery, long saveEvery) {
    this(steps, accumulation, seed, false, evaluateEvery, saveEvery, 0, 0);
  }

  private static void require(String name, long value, long least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s must be %d or more, not %d".formatted(name, least, value));
    }
  }

  boolean evaluatesAfter(long step) {
    return step == steps || (evaluateEvery > 0 && step % evaluateEvery == 0);
  }

  boolean savesAfter(long step) {
    return step == steps || (saveEvery > 0 && step % saveEvery == 0);
  }
}
