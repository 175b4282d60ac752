package dev.nibble.trainer.run;

import dev.nibble.compute.files.FileProblem;
import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.io.IOException;
import java.util.Optional;

/**
 * A run's folder cannot be used. The message names the folder, what is in it and what can be done.
 */
public final class RunException extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public RunException(String message) {
    super(Fault.USER, message);
  }

  /** With a problem for the user, and what would avoid it. */
  public RunException(String problem, Remedy remedy) {
    super(Fault.USER, problem, Optional.of(remedy));
  }

  /** What cannot be written in a run's folder: the machine's fault, unlike all others. */
  public static RunException unwritable(IOException cause) {
    return new RunException(
        Fault.MACHINE,
        "the run cannot write its files: " + FileProblem.of(cause),
        Optional.of(Remedy.MAKE_ROOM_AND_RESUME),
        cause);
  }

  private RunException(Fault fault, String problem, Optional<Remedy> remedy, Throwable cause) {
    super(fault, problem, remedy, cause);
  }

  RunException(String problem, Remedy remedy, Throwable cause) {
    super(Fault.USER, problem, Optional.of(remedy), cause);
  }

  RunException(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
