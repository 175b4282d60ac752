package dev.nibble.trainer.checkpoint;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A checkpoint cannot be written, read or used. The message names the folder and says what to do.
 */
public final class CheckpointException extends NibbleException {
  private static final long serialVersionUID = 1L;

  CheckpointException(String message) {
    super(Fault.USER, message);
  }

  CheckpointException(String problem, Remedy remedy) {
    super(Fault.USER, problem, Optional.of(remedy));
  }

  CheckpointException(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }

  /** What could not be written: the machine's fault, unlike all others. */
  static CheckpointException unwritable(String problem, Throwable cause) {
    return new CheckpointException(
        Fault.MACHINE, problem, Optional.of(Remedy.MAKE_ROOM_AND_RESUME), cause);
  }

  /** The folder of the run was taken away from it. */
  static CheckpointException gone(Path folder, long step) {
    return new CheckpointException(
        "the checkpoint of step %d cannot be written: the run's folder %s was deleted or moved while the run was under way"
            .formatted(step, folder));
  }

  private CheckpointException(
      Fault fault, String problem, Optional<Remedy> remedy, Throwable cause) {
    super(fault, problem, remedy, cause);
  }
}
