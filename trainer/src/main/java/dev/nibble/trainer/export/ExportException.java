package dev.nibble.trainer.export;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/** A model cannot be exported, or not so. The message says what is in the way and what to do. */
public final class ExportException extends NibbleException {
  private static final long serialVersionUID = 1L;

  /** With what is in the way. */
  public ExportException(String message) {
    super(Fault.USER, message);
  }

  /** With a problem for the user, and what would avoid it. */
  public ExportException(String problem, Remedy remedy) {
    super(Fault.USER, problem, Optional.of(remedy));
  }

  /** With what is in the way, and why. */
  public ExportException(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
