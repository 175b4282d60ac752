package dev.nibble.api.runs;

import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.StopRequest;
import java.util.function.Supplier;

/** Lets a wish to stop reach the training loop. */
@FunctionalInterface
public interface StopSignals {
  /** Nobody wishes to stop. */
  StopSignals NEVER = (stop, training) -> training.get();

  /** Runs {@code training}, passing wishes to stop on to {@code stop} meanwhile. */
  Outcome whileTraining(StopRequest stop, Supplier<Outcome> training);
}
