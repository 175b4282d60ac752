package dev.nibble.trainer.train;

import dev.nibble.trainer.checkpoint.TrainerState;
import java.nio.file.Path;

/** What the loop tells, in the order in which it happened. */
public sealed interface Report {

  /** Optimizer steps done. */
  long step();

  /**
   * One optimizer step.
   *
   * @param step its number, counted from 1
   * @param steps of the whole run
   * @param epoch passes over the data so far
   * @param loss mean cross-entropy in nats over the step's supervised tokens
   * @param learningRate of its update
   * @param gradientNorm before clipping
   * @param tokens in all its micro-batches
   * @param supervisedTokens among them
   * @param tokensPerSecond of this step
   * @param secondsLeft at the pace of the latest steps, evaluations and checkpoints not counted
   */
  record StepReport(
      long step,
      long steps,
      double epoch,
      double loss,
      double learningRate,
      double gradientNorm,
      long tokens,
      long supervisedTokens,
      double tokensPerSecond,
      double secondsLeft)
      implements Report {}

  /**
   * One optimizer step whose update was not made, because its loss or its gradient is not finite.
   *
   * @param step its number, counted from 1
   * @param steps of the whole run
   * @param epoch passes over the data so far
   * @param problem what is not finite, and the samples that make it so
   * @param skipped steps so far, with this one
   * @param most steps that may be skipped
   */
  record SkipReport(long step, long steps, double epoch, String problem, long skipped, long most)
      implements Report {}

  /**
   * One pass over the validation batches.
   *
   * @param step steps done before it; 0 for one before training
   * @param steps of the whole run
   * @param epoch passes over the training data so far
   * @param loss mean cross-entropy in nats over the supervised tokens
   * @param perplexity exp(loss)
   * @param supervisedTokens it was measured on
   * @param seconds it took
   * @param isBest whether steps were done before it, and no evaluation after a step gave a lower
   *     loss
   */
  record EvaluationReport(
      long step,
      long steps,
      double epoch,
      double loss,
      double perplexity,
      long supervisedTokens,
      double seconds,
      boolean isBest)
      implements Report {}

  /**
   * A checkpoint was written.
   *
   * @param step steps done before it
   * @param folder where it lies
   * @param seconds it took
   */
  record CheckpointReport(long step, Path folder, double seconds) implements Report {}

  /**
   * The run goes on from a checkpoint.
   *
   * @param step steps done before it
   * @param state what was restored
   */
  record ResumeReport(long step, TrainerState state) implements Report {}

  /**
   * The run ends early because the validation loss has stopped falling.
   *
   * @param step steps done
   * @param evaluations since the best
   * @param bestStep steps done before the best evaluation
   * @param bestLoss of it
   */
  record EarlyStopReport(long step, long evaluations, long bestStep, double bestLoss)
      implements Report {}

  /**
   * The run ends early because it was asked to.
   *
   * @param step steps done
   */
  record StopReport(long step) implements Report {}
}
