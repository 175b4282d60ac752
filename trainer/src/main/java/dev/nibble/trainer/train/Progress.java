package dev.nibble.trainer.train;

import dev.nibble.trainer.checkpoint.TrainerState;
import java.util.ArrayList;
import java.util.List;

/** How far a run has come: what the loop counts, and a checkpoint keeps. */
final class Progress {
  private final TrainerState.Run run;
  private final List<TrainerState.Entry> history = new ArrayList<>();
  private long step;
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

  void afterStep(double loss, long stepTokens, long stepSupervisedTokens) {
    step++;
    tokens += stepTokens;
    supervisedTokens += stepSupervisedTokens;
    history.add(new TrainerState.Entry(step, TrainerState.Kind.TRAINING, loss));
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

  TrainerState state(BatchSource batches) {
    BatchSource.Position data = batches.position();
    return new TrainerState(
        step,
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
    tokens = state.tokens();
    supervisedTokens = state.supervisedTokens();
    best = state.best();
    history.clear();
    history.addAll(state.history());
  }
}
