package dev.nibble.trainer.train;

import dev.nibble.trainer.checkpoint.TrainerState;
import java.util.ArrayList;
import java.util.List;

/** How far a run has come: what the loop counts, and a checkpoint keeps. */
final class Progress {
  private final TrainerState.Run run;
  private final List<TrainerState.Entry> history = new ArrayList<>();
  private long step;
  private long skipped;
  private long tokens;
  private long supervisedTokens;
  private TrainerState.Best best = TrainerState.Best.NONE;

  Progress(TrainerState.Run run) {
    this.run = run;
  }

  TrainerState.Run run() {
    return run;
  }

  long step() {
    return step;
  }

  long skipped() {
    return skipped;
  }

  /** Notes a step without an update. */
  void afterSkip(long stepTokens, long stepSupervisedTokens) {
    step++;
    skipped++;
    tokens += stepTokens;
    supervisedTokens += stepSupervisedTokens;
  }

  void afterStep(double loss, long stepTokens, long stepSupervisedTokens) {
    step++;
    tokens += stepTokens;
    supervisedTokens += stepSupervisedTokens;
    history.add(new TrainerState.Entry(step, TrainerState.Kind.TRAINING, loss));
  }

  /** Notes an evaluation before the first step. */
  void atStart(double loss) {
    history.add(new TrainerState.Entry(0, TrainerState.Kind.VALIDATION, loss));
  }

  /** Notes an evaluation and tells whether it is the best so far. */
  boolean afterEvaluation(double loss) {
    history.add(new TrainerState.Entry(step, TrainerState.Kind.VALIDATION, loss));
    if (Double.isNaN(loss) || (!best.isNone() && best.loss() <= loss)) {
      return false;
    }
    best = new TrainerState.Best(step, loss);
    return true;
  }

  TrainerState.Best best() {
    return best;
  }

  /** Evaluations after the best one. */
  long evaluationsSinceBest() {
    return history.stream()
        .filter(e -> e.kind() == TrainerState.Kind.VALIDATION && e.step() > best.step())
        .count();
  }

  TrainerState state(BatchSource batches) {
    BatchSource.Position data = batches.position();
    return new TrainerState(
        step,
        skipped,
        batches.epoch(),
        run,
        data.epoch(),
        data.batches(),
        tokens,
        supervisedTokens,
        best,
        history,
        0);
  }

  /** Goes on from a state of the same run. */
  void restore(TrainerState state) {
    step = state.step();
    skipped = state.skippedSteps();
    tokens = state.tokens();
    supervisedTokens = state.supervisedTokens();
    best = state.best();
    history.clear();
    history.addAll(state.history());
  }
}
