package dev.nibble.api.wiring;

import dev.nibble.api.event.Event;
import dev.nibble.data.batching.BatchPlan;
import dev.nibble.data.batching.Subset;
import dev.nibble.data.samples.DataReport;
import dev.nibble.recipes.recipe.Recipe;

/**
 * The steps of a run, counted from the lengths of its samples. A step takes micro-batches of one
 * epoch only, so that an epoch is a whole number of steps.
 *
 * @param total of the run
 * @param ofEpoch of the first epoch; packed epochs may differ by a few
 * @param microBatches of the first epoch
 */
public record StepCount(long total, long ofEpoch, long microBatches) {

  static StepCount of(Recipe.Training training, BatchPlan plan, Subset train) {
    long most = training.maxSteps().map(Integer::longValue).orElse(Long.MAX_VALUE);
    long microBatches = train.countBatches(plan, 0);
    long ofEpoch = Math.ceilDiv(microBatches, training.accumulation());
    if (training.epochs().isEmpty()) {
      return new StepCount(most, ofEpoch, microBatches);
    }
    long total = ofEpoch;
    for (int epoch = 1; epoch < training.epochs().get() && total < most; epoch++) {
      total += Math.ceilDiv(train.countBatches(plan, epoch), training.accumulation());
    }
    return new StepCount(Math.min(most, total), ofEpoch, microBatches);
  }

  /** Micro-batches of a step, on average. */
  public double microBatchesOfStep() {
    return (double) microBatches / ofEpoch;
  }

  /**
   * The average step.
   *
   * @param train counts of the training data
   */
  public Event.StepSize sizeOf(DataReport train) {
    return new Event.StepSize(
        microBatchesOfStep(), (double) train.kept() / ofEpoch, (double) train.tokens() / ofEpoch);
  }
}
