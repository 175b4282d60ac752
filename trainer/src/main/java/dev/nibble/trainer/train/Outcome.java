package dev.nibble.trainer.train;

import java.nio.file.Path;
import java.util.Optional;

/** How a run ended. */
public sealed interface Outcome {

  /** Optimizer steps done, those before a resume included. */
  long step();

  /** The checkpoint written last, if checkpoints are written. */
  Optional<Path> checkpoint();

  /** All steps are done, or the validation loss has stopped falling. */
  record Finished(long step, Optional<Path> checkpoint) implements Outcome {}

  /** It was asked to stop, and did so after a whole step. */
  record Interrupted(long step, Optional<Path> checkpoint) implements Outcome {}
}
