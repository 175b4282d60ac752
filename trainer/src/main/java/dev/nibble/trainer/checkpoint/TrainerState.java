package dev.nibble.trainer.checkpoint;

import java.util.List;

/**
 * Where a run stands, as {@code trainer_state.json} holds it.
 *
 * @param step optimizer steps done
 * @param skippedSteps steps among them whose update was not made
 * @param epoch passes over the data so far
 * @param run what must be the same when it goes on
 * @param dataEpoch complete passes over the data
 * @param dataBatches micro-batches taken in the pass after them
 * @param tokens seen so far
 * @param supervisedTokens seen so far
 * @param best evaluation with the lowest loss; step 0 when there was none
 * @param history losses so far, in order
 * @param weightsChecksum CRC-32C of the trained weights in F32
 */
public record TrainerState(
    long step,
    long skippedSteps,
    double epoch,
    Run run,
    long dataEpoch,
    long dataBatches,
    long tokens,
    long supervisedTokens,
    Best best,
    List<Entry> history,
    long weightsChecksum) {

  /** Copies the history. */
  public TrainerState {
    history = List.copyOf(history);
  }

  /**
   * What decides every later step besides weights, moments and data.
   *
   * @param steps of the whole run, which the learning-rate schedule depends on
   * @param accumulation micro-batches a step
   * @param seed of data order and dropout
   * @param parameters number of trained weights
   */
  public record Run(long steps, int accumulation, long seed, long parameters) {}

  /**
   * The best evaluation.
   *
   * @param step steps done before it; 0 when there was none
   * @param loss on the validation batches
   */
  public record Best(long step, double loss) {
    /** No evaluation yet. */
    public static final Best NONE = new Best(0, 0);

    /** Whether there was no evaluation yet. */
    public boolean isNone() {
      return step == 0;
    }
  }

  /**
   * One loss.
   *
   * @param step steps done
   * @param kind training or validation
   * @param loss mean cross-entropy in nats
   */
  public record Entry(long step, Kind kind, double loss) {}

  /** Which batches a loss was measured on. */
  public enum Kind {
    /** The batches of the step. */
    TRAINING,
    /** The held-out batches. */
    VALIDATION
  }

  /** Updates that the optimizer has made. */
  long updates() {
    return step - skippedSteps;
  }

  /** The same state with the checksum of the weights it belongs to. */
  TrainerState withWeightsChecksum(long checksum) {
    return new TrainerState(
        step,
        skippedSteps,
        epoch,
        run,
        dataEpoch,
        dataBatches,
        tokens,
        supervisedTokens,
        best,
        history,
        checksum);
  }
}
